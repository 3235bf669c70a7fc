// A typed, sized pointer to content (OCI image-spec descriptor.md).
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "spec/digest.hpp"
#include "spec/platform.hpp"

namespace lade::spec {

using Annotations = std::map<std::string, std::string>;

struct Descriptor {
  std::string media_type;
  Digest digest;
  std::uint64_t size = 0;
  std::vector<std::string> urls;
  Annotations annotations;
  std::optional<Platform> platform;  // in indexes
  std::string artifact_type;
  std::string data;  // base64 as it stands; "" if absent

  bool operator==(const Descriptor&) const = default;
};

}  // namespace lade::spec

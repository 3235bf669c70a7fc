// The image configuration (OCI image-spec config.md), as far as lade shows or converts it.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "spec/digest.hpp"
#include "spec/json.hpp"

namespace lade::spec {

// Unlike a Digest of a blob: the digest of an uncompressed layer.
struct DiffId {
  Digest digest;
  bool operator==(const DiffId&) const = default;
};

struct ImageConfig {
  std::string created;  // RFC 3339 as it stands; "" if absent
  std::string author;
  std::string architecture;
  std::string variant;
  std::string os;
  std::string docker_version;
  std::optional<std::vector<std::string>> env;
  std::optional<std::map<std::string, std::string>> labels;
  std::vector<DiffId> diff_ids;

  struct History {
    std::string created, created_by, author, comment;
    bool empty_layer = false;
  };
  std::vector<History> history;

  // The whole document, unknown members included.
  Json document;

  static ImageConfig parse(std::string_view bytes);

  // The members of OCI's v1.Image only, in Go's struct order: what `inspect --config` shows and what a
  // conversion from Docker to OCI writes.
  Json oci_document() const;
};

}  // namespace lade::spec

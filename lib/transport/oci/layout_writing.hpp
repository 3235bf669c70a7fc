// What the destinations of OCI layouts have in common.
#pragma once

#include <optional>
#include <string>

#include "transport/oci/layout_index.hpp"
#include "transport/options.hpp"
#include "transport/transport.hpp"

namespace lade::transport::oci {

DestinationTraits layout_traits(const Options& options);

struct LayoutManifest {
  spec::RawManifest raw;
  std::optional<spec::Descriptor> entry;  // for index.json
};

// Checks a manifest before it is written. The top one gets an entry under the name `image`; an instance of a
// list gets one only if it refers to another manifest, since nothing else would lead there.
// Kind::unsupported for a type that no layout holds, Kind::integrity for another digest than `instance`.
LayoutManifest prepare_manifest(const spec::RawManifest& manifest,
                                const std::optional<spec::Digest>& instance, const std::string& image);

}  // namespace lade::transport::oci

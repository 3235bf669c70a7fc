// Manifest bytes as they are found on disk.
#pragma once

#include <optional>
#include <string>

#include "spec/manifest.hpp"

namespace lade::transport {

// Computes the digest (of a signed schema 1 manifest: of its payload); media_type "" is guessed.
// Kind::integrity if `expected` names another digest.
spec::RawManifest make_raw_manifest(std::string bytes, std::string media_type,
                                    const std::optional<spec::Digest>& expected = std::nullopt);

}  // namespace lade::transport

// What the parts of one copy share. Internal to copy/.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/sync.hpp"
#include "copy/copy.hpp"
#include "copy/layer_format.hpp"
#include "copy/once.hpp"
#include "copy/slots.hpp"

namespace lade::copy {

// A blob as it arrived at the destination.
struct CopiedBlob {
  spec::Digest digest;
  std::uint64_t size = 0;
  io::Compression compression = io::Compression::none;
  bool compression_changed = false;
};

struct Session {
  transport::ImageSource& source;
  transport::ImageDestination& destination;
  const transport::ImageReference& source_reference;
  const transport::ImageReference& destination_reference;
  const CopyOptions& options;
  // Why nothing of the image may change: "Instructed to preserve digests"; "" if it may.
  std::string unchangeable_reason;
  Slots slots;
  // The list from which the image was chosen, if the destination keeps it: its digest will do as well.
  std::optional<spec::Digest> list{};
  Once<std::string, CopiedBlob> blobs{};

  // Digests of all manifests written, for --with-referrers.
  Sync<std::vector<spec::Digest>> written{};

  bool may_change() const { return unchangeable_reason.empty(); }
};

// What a manifest is written under: its digest as part of a list, the destination's own name otherwise.
inline std::optional<spec::Digest> name_of(const spec::RawManifest& manifest, bool as_instance) {
  return as_instance ? std::optional(manifest.digest) : std::nullopt;
}

}  // namespace lade::copy

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
  spec::Annotations annotations{};  // that a recompressed one needs
  // Of a layer that was encrypted or decrypted on its way: what its descriptor has from then on.
  struct Crypto {
    bool encrypted = false;
    spec::Annotations annotations{};
  };
  std::optional<Crypto> crypto{};
};

// What all images of one copy have in common.
struct Shared {
  explicit Shared(std::size_t transfers) : slots(transfers) {}

  Slots slots;
  Once<std::string, CopiedBlob> blobs{};
  Once<std::string, std::vector<std::string>> signatures{};  // by the digest of their manifest
  // All manifests written, for --with-referrers.
  struct Written {
    spec::Digest at_source, at_destination;
  };
  Sync<std::vector<Written>> written{};
};

// Cheap to copy: an image that may change less than others has one of its own.
struct Session {
  transport::ImageSource& source;
  transport::ImageDestination& destination;
  const transport::ImageReference& source_reference;
  const transport::ImageReference& destination_reference;
  const CopyOptions& options;
  Shared& shared;
  spec::Digest top_digest;  // of the manifest that source_reference names
  // Why nothing of the image may change: "Instructed to preserve digests"; "" if it may.
  std::string unchangeable_reason;
  // The list from which the image was chosen, if the destination keeps it: its digest will do as well.
  std::optional<spec::Digest> list{};
  const trust::PolicyContext* policy = nullptr;  // nullptr: decided already, over what this refers to
  // The image has encrypted layers when it arrives, which only OCI's format can tell.
  bool arrives_encrypted = false;

  bool may_change() const { return unchangeable_reason.empty(); }
};

// What a manifest is written under: its digest as part of a list, the destination's own name otherwise.
inline std::optional<spec::Digest> name_of(const spec::RawManifest& manifest, bool as_instance) {
  return as_instance ? std::optional(manifest.digest) : std::nullopt;
}

}  // namespace lade::copy

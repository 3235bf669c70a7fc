// The list of referrers that clients keep under a tag where the registry has no referrers API
// (distribution-spec 1.1, "Referrers Tag Schema" and "Pushing Manifests with Subject").
#pragma once

#include <string>

#include "registry/repository.hpp"

namespace lade::registry {

// "sha256-<hex>"; of longer digests the first 64 digits.
std::string referrers_tag(const spec::Digest& subject);

// What a manifest refers to, and how lists of referrers describe it. nullopt without a subject, and for
// documents of other types than OCI's.
struct ReferrerEntry {
  spec::Digest subject;
  spec::Descriptor descriptor;  // with artifactType and annotations
};
std::optional<ReferrerEntry> referrer_entry(const spec::RawManifest& manifest);

// The list with the entry at its end, as bytes of an OCI index; nullopt if it is there already. `list` ""
// stands for an empty one. Kind::invalid_input if it is no index.
std::optional<std::string> with_referrer(const std::string& list, const spec::Descriptor& entry);

}  // namespace lade::registry

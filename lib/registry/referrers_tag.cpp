#include "registry/referrers_tag.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "spec/json.hpp"
#include "spec/media_type.hpp"

namespace lade::registry {

namespace {

constexpr std::size_t max_tag_digits = 64;

spec::Descriptor referrer_descriptor(const spec::RawManifest& manifest, std::string artifact_type,
                                     const spec::Annotations& annotations) {
  return {.media_type = manifest.media_type,
          .digest = manifest.digest,
          .size = manifest.bytes.size(),
          .urls = {},
          .annotations = annotations,
          .platform = {},
          .artifact_type = std::move(artifact_type),
          .data = {}};
}

}  // namespace

std::string referrers_tag(const spec::Digest& subject) {
  return fmt::format("{}-{}", subject.algorithm_name(), subject.hex().substr(0, max_tag_digits));
}

std::optional<ReferrerEntry> referrer_entry(const spec::RawManifest& manifest) {
  // Most manifests have none and need not be parsed.
  if (manifest.bytes.find("\"subject\"") == std::string::npos) return std::nullopt;
  if (manifest.media_type == spec::media_type::oci_index) {
    const auto index = spec::Index::parse(manifest.bytes, manifest.media_type);
    if (!index.subject()) return std::nullopt;
    return ReferrerEntry{index.subject()->digest,
                         referrer_descriptor(manifest, index.artifact_type(), index.annotations())};
  }
  if (manifest.media_type != spec::media_type::oci_manifest) return std::nullopt;
  const auto parsed = spec::Manifest::parse(manifest.bytes, manifest.media_type);
  if (!parsed.subject()) return std::nullopt;
  const std::string& type =
      parsed.artifact_type().empty() ? parsed.config().media_type : parsed.artifact_type();
  return ReferrerEntry{parsed.subject()->digest, referrer_descriptor(manifest, type, parsed.annotations())};
}

std::optional<std::string> with_referrer(const std::string& list, const spec::Descriptor& entry) {
  const auto addition = spec::Index::make(spec::media_type::oci_index, {entry}).serialize();
  if (list.empty()) return addition;
  const auto index = spec::Index::parse(list, spec::media_type::oci_index);
  const bool known = std::any_of(index.instances().begin(), index.instances().end(),
                                 [&](const auto& other) { return other.digest == entry.digest; });
  if (known) return std::nullopt;
  auto document = spec::parse_json(list, "referrers");
  document["manifests"].push_back(spec::parse_json(addition, "referrer")["manifests"][0]);
  return spec::dump_json(document);
}

}  // namespace lade::registry

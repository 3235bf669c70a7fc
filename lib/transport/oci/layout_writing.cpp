#include "transport/oci/layout_writing.hpp"

#include "registry/referrers_tag.hpp"
#include "spec/media_type.hpp"
#include "transport/raw_manifest.hpp"

namespace lade::transport::oci {

namespace {

spec::Descriptor entry_of(const spec::RawManifest& manifest) {
  return {manifest.media_type, manifest.digest, manifest.bytes.size(), {}, {}, {}, "", ""};
}

std::optional<spec::Descriptor> referrer_entry_of(const spec::RawManifest& manifest) {
  auto referrer = registry::referrer_entry(manifest);
  if (!referrer) return std::nullopt;
  // One of them could be a name in this layout.
  referrer->descriptor.annotations.clear();
  return std::move(referrer->descriptor);
}

}  // namespace

DestinationTraits layout_traits(const Options& options) {
  DestinationTraits traits;
  traits.manifest_types = {std::string(spec::media_type::oci_manifest),
                           std::string(spec::media_type::oci_index)};
  traits.layers = options.accept_uncompressed_layers ? DestinationTraits::Layers::preserve
                                                     : DestinationTraits::Layers::compress;
  traits.accepts_foreign_urls = true;
  traits.why_no_signatures = "Pushing signatures for OCI images is not supported";
  return traits;
}

LayoutManifest prepare_manifest(const spec::RawManifest& manifest,
                                const std::optional<spec::Digest>& instance, const std::string& image) {
  if (manifest.media_type != spec::media_type::oci_manifest &&
      manifest.media_type != spec::media_type::oci_index) {
    throw Error(Kind::unsupported, "an OCI layout cannot hold a manifest of type " + manifest.media_type);
  }
  LayoutManifest result{make_raw_manifest(manifest.bytes, manifest.media_type, instance), std::nullopt};
  if (instance) {
    result.entry = referrer_entry_of(result.raw);
  } else {
    result.entry = entry_of(result.raw);
    if (!image.empty()) result.entry->annotations[std::string(ref_name_annotation)] = image;
  }
  return result;
}

}  // namespace lade::transport::oci

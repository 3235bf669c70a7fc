#include "copy/manifest_writer.hpp"

#include <algorithm>
#include <functional>

#include "copy/blob_copier.hpp"
#include "copy/manifest_types.hpp"
#include "io/digester.hpp"
#include "io/readers.hpp"
#include "spec/json.hpp"
#include "spec/media_type.hpp"

namespace lade::copy {

namespace {

namespace types = spec::media_type;

// Tries one type after the other while the destination (or the conversion) says it cannot be had.
spec::RawManifest first_accepted(const std::vector<std::string>& candidates,
                                 const std::function<spec::RawManifest(const std::string&)>& write_as) {
  if (candidates.size() == 1) return write_as(candidates.front());
  std::string refusals;
  for (const std::string& type : candidates) {
    try {
      return write_as(type);
    } catch (const Error& error) {
      if (error.kind() != Kind::unsupported) throw;
      refusals += (refusals.empty() ? "" : ", ") + type + "(" + error.what() + ")";
    }
  }
  throw Error(Kind::unsupported, "Uploading manifest failed, attempted the following formats: " + refusals);
}

spec::RawManifest with_digest(std::string bytes, const std::string& type) {
  spec::Digest digest = io::digest_of(bytes);
  return {std::move(bytes), type, std::move(digest)};
}

}  // namespace

spec::RawManifest ManifestWriter::write(const spec::Manifest& manifest,
                                        const std::optional<spec::RawManifest>& raw) {
  // An artifact has no image configuration that could be converted.
  const auto candidates = manifest.is_artifact() ? std::vector<std::string>{manifest.media_type()}
                                                 : manifest_types_for(session_, manifest.media_type());
  return first_accepted(candidates, [&](const std::string& type) { return write_as(type, manifest, raw); });
}

spec::RawManifest ManifestWriter::write(const image::Schema1& manifest, const spec::RawManifest& raw,
                                        const std::vector<spec::Descriptor>& layers) {
  return first_accepted(manifest_types_for(session_, raw.media_type),
                        [&](const std::string& type) { return write_as(type, manifest, raw, layers); });
}

spec::RawManifest ManifestWriter::write_as(const std::string& type, const spec::Manifest& manifest,
                                           const std::optional<spec::RawManifest>& raw) {
  if (type == manifest.media_type()) {
    copy_config(session_, context_, manifest.config());
    return put(raw ? *raw : with_digest(manifest.serialize(), type));
  }
  const auto conversion = image::convert(manifest, read_config(manifest.config()), type,
                                         session_.destination_reference.docker_reference());
  if (!conversion.config && !spec::is_schema1(type)) copy_config(session_, context_, manifest.config());
  return put(conversion);
}

spec::RawManifest ManifestWriter::write_as(const std::string& type, const image::Schema1& manifest,
                                           const spec::RawManifest& raw,
                                           const std::vector<spec::Descriptor>& layers) {
  const auto source_layers = layers_of(manifest);
  if (!spec::is_schema1(type)) {
    return put(image::convert(manifest, layers, read_diff_ids(session_, context_, source_layers), type));
  }
  std::vector<spec::Digest> blobs;
  for (const auto& layer : layers) blobs.push_back(layer.digest);
  const bool same = std::equal(layers.begin(), layers.end(), source_layers.begin(), source_layers.end(),
                               [](const auto& a, const auto& b) { return a.digest == b.digest; });
  if (same) return put(raw);
  const std::string payload = manifest.with_blobs(blobs).serialize();
  return put(spec::RawManifest{image::sign_schema1(payload), std::string(types::docker_manifest_v1_signed),
                               io::digest_of(payload)});
}

spec::RawManifest ManifestWriter::put(const image::Conversion& conversion) {
  if (conversion.config) {
    put_document(session_, context_, conversion.config->descriptor, conversion.config->bytes, true);
  }
  if (conversion.needs_empty_layer) put_empty_layer();
  return put(conversion.manifest);
}

spec::RawManifest ManifestWriter::put(const spec::RawManifest& manifest) {
  const auto& required = session_.destination.traits().required_digest;
  if (!as_instance_ && required && *required != manifest.digest && required != session_.list) {
    throw Error(Kind::invalid_input,
                "Digest of source image's manifest would not match destination reference");
  }
  context_.progress.step("Writing manifest to image destination");
  in_context("writing the manifest to the destination",
             [&] { session_.destination.put_manifest(context_, manifest, name_of(manifest, as_instance_)); });
  return manifest;
}

void ManifestWriter::put_empty_layer() {
  const std::string bytes(image::empty_layer());
  const spec::Descriptor layer{
      std::string(types::docker_layer_gzip), image::empty_layer_digest(), bytes.size(), {}, {}, {}, "", ""};
  put_document(session_, context_, layer, bytes, false);
}

std::string ManifestWriter::read_config(const spec::Descriptor& config) {
  return in_context("reading the config from the source", [&] {
    transport::Blob blob = session_.source.blob(context_, config);
    io::VerifyingReader verified(*blob.reader, config.digest, config.size);
    return io::read_all(verified, spec::max_manifest_size, "config");
  });
}

std::vector<spec::Descriptor> layers_of(const image::Schema1& manifest) {
  std::vector<spec::Descriptor> result;
  for (const auto& layer : manifest.layers) {
    result.push_back({std::string(types::docker_layer_gzip), layer.blob, 0, {}, {}, {}, "", ""});
  }
  return result;
}

}  // namespace lade::copy

#include "spec/manifest.hpp"

#include <array>

#include "base/error.hpp"
#include "spec/descriptor_json.hpp"
#include "spec/json.hpp"
#include "spec/media_type.hpp"

namespace lade::spec {

namespace {

using namespace media_type;

struct LayerPair {
  std::string_view docker, oci;
};

constexpr std::array<LayerPair, 5> layer_pairs{{
    {docker_layer_tar, oci_layer_tar},
    {docker_layer_gzip, oci_layer_gzip},
    {docker_layer_zstd, oci_layer_zstd},
    {docker_foreign_layer_tar, oci_nondistributable_tar},
    {docker_foreign_layer_gzip, oci_nondistributable_gzip},
}};

std::string quote(std::string_view text) {
  return "\"" + std::string(text) + "\"";
}

[[noreturn]] void cannot_convert(std::string message) {
  throw Error(Kind::unsupported, std::move(message));
}

// An encrypted layer of a Docker manifest is one that is on its way into an OCI image.
std::string to_oci_layer(std::string_view type) {
  constexpr std::string_view encrypted = "+encrypted";
  const bool is_encrypted = is_encrypted_layer(type);
  const std::string_view plain = is_encrypted ? type.substr(0, type.size() - encrypted.size()) : type;
  for (const LayerPair& pair : layer_pairs) {
    if (pair.docker != plain) continue;
    return std::string(pair.oci) + std::string(is_encrypted ? encrypted : "");
  }
  cannot_convert("Unknown media type during manifest conversion: " + quote(type));
}

std::string to_docker_layer(std::string_view type) {
  if (is_encrypted_layer(type))
    cannot_convert("during manifest conversion: encrypted layers (" + quote(type) +
                   ") are not supported in docker images");
  if (type == oci_layer_zstd || type == oci_nondistributable_zstd)
    cannot_convert("Error during manifest conversion: " + quote(type) +
                   ": zstd compression is not supported for docker images");
  for (const LayerPair& pair : layer_pairs)
    if (pair.oci == type) return std::string(pair.docker);
  cannot_convert("Unknown media type during manifest conversion: " + quote(type));
}

}  // namespace

struct Manifest::Impl {
  Json document;
  std::string media_type;
  Descriptor config;
  std::vector<Descriptor> layers;
  std::optional<Descriptor> subject;
  std::string artifact_type;
  Annotations annotations;

  // From a document that parse_document has checked.
  static Impl from(Json document, std::string_view media_type) {
    const std::string what = "invalid manifest of type " + std::string(media_type);
    const Json* config = find_member(document, "config");
    if (config == nullptr) throw Error(Kind::invalid_input, what + ": no config");
    Impl impl{{}, std::string(media_type), parse_descriptor(*config, what), {}, {}, "", {}};
    impl.layers = parse_descriptors(document, "layers", what);
    impl.subject = parse_subject(document, what);
    impl.artifact_type = string_member(document, "artifactType", what);
    impl.annotations = string_map_member(document, "annotations", what).value_or(Annotations());
    impl.document = std::move(document);
    return impl;
  }
};

Manifest::Manifest(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Manifest::Manifest(const Manifest& other) : impl_(std::make_unique<Impl>(*other.impl_)) {}
Manifest& Manifest::operator=(const Manifest& other) {
  impl_ = std::make_unique<Impl>(*other.impl_);
  return *this;
}
Manifest::Manifest(Manifest&&) noexcept = default;
Manifest& Manifest::operator=(Manifest&&) noexcept = default;
Manifest::~Manifest() = default;

Manifest Manifest::parse(std::string_view bytes, std::string_view media_type) {
  Json document = parse_document(bytes, media_type, {docker_manifest, oci_manifest}, {"config", "layers"});
  return Manifest(std::make_unique<Impl>(Impl::from(std::move(document), media_type)));
}

Manifest Manifest::make(std::string_view media_type, const Descriptor& config,
                        const std::vector<Descriptor>& layers) {
  const Flavor flavor = flavor_of(media_type);
  Json document = {{"schemaVersion", 2}, {"mediaType", media_type}};
  document["config"] = descriptor_json(config, flavor);
  Json& list = document["layers"] = Json::array();
  for (const Descriptor& layer : layers) list.push_back(descriptor_json(layer, flavor));
  return parse(dump_json(document), media_type);
}

const std::string& Manifest::media_type() const {
  return impl_->media_type;
}
const Descriptor& Manifest::config() const {
  return impl_->config;
}
const std::vector<Descriptor>& Manifest::layers() const {
  return impl_->layers;
}
const std::optional<Descriptor>& Manifest::subject() const {
  return impl_->subject;
}
const std::string& Manifest::artifact_type() const {
  return impl_->artifact_type;
}
const Annotations& Manifest::annotations() const {
  return impl_->annotations;
}

// Docker's clients have written other config types than the official one for images.
bool Manifest::is_artifact() const {
  return impl_->media_type == oci_manifest && impl_->config.media_type != oci_config &&
         impl_->config.media_type != docker_config;
}

Manifest Manifest::with_layers(const std::vector<Descriptor>& layers) const {
  if (layers.size() != impl_->layers.size())
    throw Error(Kind::invalid_input, "Error preparing updated manifest: layer count changed from " +
                                         std::to_string(impl_->layers.size()) + " to " +
                                         std::to_string(layers.size()));
  Json document = impl_->document;
  Json& list = document["layers"];
  for (std::size_t i = 0; i < layers.size(); ++i) update_descriptor_json(list[i], layers[i]);
  return Manifest(std::make_unique<Impl>(Impl::from(std::move(document), impl_->media_type)));
}

Manifest Manifest::with_config(const Descriptor& config) const {
  Json document = impl_->document;
  update_descriptor_json(document["config"], config);
  return Manifest(std::make_unique<Impl>(Impl::from(std::move(document), impl_->media_type)));
}

Manifest Manifest::as_media_type(std::string_view media_type) const {
  if (media_type == impl_->media_type) return *this;
  if (media_type != docker_manifest && media_type != oci_manifest)
    cannot_convert("cannot convert a manifest of type " + quote(impl_->media_type) + " to " +
                   quote(media_type));
  if (is_artifact())
    cannot_convert("unsupported image-specific operation on artifact with type " +
                   quote(impl_->artifact_type.empty() ? impl_->config.media_type : impl_->artifact_type));
  const bool to_oci = media_type == oci_manifest;
  Descriptor config = impl_->config;
  config.media_type = to_oci ? oci_config : docker_config;
  std::vector<Descriptor> layers = impl_->layers;
  for (Descriptor& layer : layers)
    layer.media_type = to_oci ? to_oci_layer(layer.media_type) : to_docker_layer(layer.media_type);
  return make(media_type, config, layers);
}

std::string Manifest::serialize() const {
  return dump_json(impl_->document);
}

}  // namespace lade::spec

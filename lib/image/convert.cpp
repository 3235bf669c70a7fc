#include "image/convert.hpp"

#include "base/error.hpp"
#include "io/digester.hpp"
#include "spec/json.hpp"
#include "spec/media_type.hpp"
#include "spec/time.hpp"

namespace lade::image {

namespace {

using namespace spec::media_type;
using spec::Json;

Document make_document(std::string_view media_type, std::string bytes) {
  spec::Descriptor descriptor{
      std::string(media_type), io::digest_of(bytes), bytes.size(), {}, {}, {}, "", ""};
  return {std::move(descriptor), std::move(bytes)};
}

Conversion make_conversion(const spec::Manifest& manifest, std::optional<Document> config) {
  std::string bytes = manifest.serialize();
  const auto digest = io::digest_of(bytes);
  return {{std::move(bytes), manifest.media_type(), digest}, std::move(config), false};
}

// Nothing that OCI does not know: the bytes, and with them the digest, can stay. An empty "config" says as
// much as none; the order of members means nothing.
bool has_the_members_of(const Json& document, const Json& oci) {
  nlohmann::json present(document);
  const auto config = present.find("config");
  if (config != present.end() && config->empty()) present.erase(config);
  return present == nlohmann::json(oci);
}

Conversion docker_to_oci(const spec::Manifest& manifest, std::string_view config) {
  const auto original = spec::ImageConfig::parse(config);
  const auto oci = original.oci_document();
  if (has_the_members_of(original.document, oci)) {
    return make_conversion(manifest.as_media_type(oci_manifest), std::nullopt);
  }
  Document document = make_document(oci_config, spec::dump_json(oci));
  const auto converted = manifest.as_media_type(oci_manifest).with_config(document.descriptor);
  return make_conversion(converted, std::move(document));
}

std::string v1_id(const spec::Digest& blob, const std::string& parent) {
  return io::digest_of(blob.hex() + " " + parent).hex();
}

std::string v1_id(const spec::Digest& blob, const std::string& parent, std::string_view config) {
  return io::digest_of(blob.hex() + " " + parent + " " + std::string(config)).hex();
}

// What schema 1 tells of a layer below the top: made up, but for the history.
Schema1::Layer fake_layer(const spec::Digest& blob, const std::string& parent,
                          const spec::ImageConfig::History& history) {
  Schema1::Layer layer{blob, "", v1_id(blob, parent), parent, "", "", "", ""};
  layer.empty = history.empty_layer;
  Json v1 = {{"id", layer.id}};
  if (!parent.empty()) v1["parent"] = parent;
  if (!history.comment.empty()) v1["comment"] = history.comment;
  v1["created"] = spec::time_or_zero(history.created);
  v1["container_config"] = {{"Cmd", Json::array({history.created_by})}};
  if (!history.author.empty()) v1["author"] = history.author;
  if (layer.empty) v1["throwaway"] = true;
  layer.v1_compatibility = spec::dump_json(v1);
  return layer;
}

// The top layer carries the configuration of the image.
void set_top(Schema1::Layer& top, const spec::ImageConfig& config, std::string_view config_bytes) {
  top.id = v1_id(top.blob, top.parent, config_bytes);
  std::map<std::string, Json> members;
  for (const auto& [name, value] : config.document.get_ref<const Json::object_t&>()) members[name] = value;
  members.erase("rootfs");
  members.erase("history");
  members["id"] = top.id;
  if (!top.parent.empty()) members["parent"] = top.parent;
  if (top.empty) members["throwaway"] = true;
  top.v1_compatibility = spec::dump_json(Json(members));
}

Conversion docker_to_schema1(const spec::Manifest& manifest, std::string_view config_bytes,
                             const std::optional<spec::Reference>& destination) {
  const auto config = spec::ImageConfig::parse(config_bytes);
  if (config.history.empty())
    throw Error(Kind::unsupported, "Cannot convert an image with 0 history entries to " +
                                       std::string(docker_manifest_v1_signed));
  Schema1 old{"", "", config.architecture, {}};
  Conversion conversion{
      {"", std::string(docker_manifest_v1_signed), empty_layer_digest()}, std::nullopt, false};
  std::size_t used = 0;
  for (const auto& entry : config.history) {
    if (!entry.empty_layer && used == manifest.layers().size())
      throw Error(Kind::invalid_input, "Invalid image configuration, needs more than the " +
                                           std::to_string(used) + " distributed layers");
    conversion.needs_empty_layer |= entry.empty_layer;
    const spec::Digest blob = entry.empty_layer ? empty_layer_digest() : manifest.layers()[used++].digest;
    old.layers.push_back(fake_layer(blob, old.layers.empty() ? "" : old.layers.back().id, entry));
  }
  set_top(old.layers.back(), config, config_bytes);
  if (destination) old = old.with_reference(*destination);

  const std::string payload = old.serialize();
  conversion.manifest.digest = io::digest_of(payload);
  conversion.manifest.bytes = sign_schema1(payload);
  return conversion;
}

}  // namespace

Conversion convert(const spec::Manifest& manifest, std::string_view config, std::string_view media_type,
                   const std::optional<spec::Reference>& destination) {
  if (spec::is_schema1(media_type))
    return docker_to_schema1(manifest.as_media_type(docker_manifest), config, destination);
  if (manifest.media_type() == docker_manifest && media_type == oci_manifest)
    return docker_to_oci(manifest, config);
  return make_conversion(manifest.as_media_type(media_type), std::nullopt);
}

Conversion convert(const Schema1& manifest, const std::vector<spec::Descriptor>& layers,
                   const std::vector<spec::DiffId>& diff_ids, std::string_view media_type) {
  if (layers.size() != manifest.layers.size() || diff_ids.size() != manifest.layers.size())
    throw Error(Kind::invalid_input, "schema 1 conversion: " + std::to_string(layers.size()) + " blobs and " +
                                         std::to_string(diff_ids.size()) + " diff ids for " +
                                         std::to_string(manifest.layers.size()) + " layers");
  std::vector<spec::Descriptor> kept_layers;
  std::vector<spec::DiffId> kept_ids;
  for (std::size_t i = 0; i < layers.size(); ++i) {
    if (manifest.layers[i].empty) continue;
    kept_layers.push_back(layers[i]);
    kept_ids.push_back(diff_ids[i]);
  }
  Document config = make_document(docker_config, manifest.schema2_config(kept_ids));
  const auto docker = spec::Manifest::make(docker_manifest, config.descriptor, kept_layers);
  if (media_type == docker_manifest) return make_conversion(docker, std::move(config));
  return convert(docker, config.bytes, media_type);
}

}  // namespace lade::image

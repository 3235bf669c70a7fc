#include "image/schema1.hpp"

#include <algorithm>
#include <array>
#include <set>

#include "base/error.hpp"
#include "spec/descriptor_json.hpp"
#include "spec/json.hpp"
#include "spec/manifest.hpp"
#include "spec/media_type.hpp"
#include "spec/time.hpp"

namespace lade::image {

namespace {

using spec::Json;

constexpr std::string_view what = "invalid schema 1 manifest";

[[noreturn]] void refuse(std::string_view reason) {
  throw Error(Kind::invalid_input, std::string(what) + ": " + std::string(reason));
}

Json parse_object(std::string_view text) {
  Json value = spec::parse_json(text, what);
  if (!value.is_object()) refuse("not an object");
  return value;
}

bool is_v1_id(std::string_view id) {
  return id.size() == 64 && std::all_of(id.begin(), id.end(), [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
         });
}

// The command of a layer, as the shell words that Docker joined.
std::string command_of(const Json& compatibility) {
  const Json* container = spec::find_member(compatibility, "container_config");
  if (container == nullptr || !container->is_object()) return "";
  const auto words = spec::strings_member(*container, "Cmd", what);
  std::string command;
  for (const std::string& word : words.value_or(std::vector<std::string>()))
    command += (command.empty() ? "" : " ") + word;
  return command;
}

Schema1::Layer parse_layer(const Json& fs_layer, const Json& history) {
  if (!fs_layer.is_object() || !history.is_object()) refuse("a layer or its history is not an object");
  const auto blob = in_context(
      what, [&] { return spec::Digest::parse(spec::string_member(fs_layer, "blobSum", "layer")); });
  Schema1::Layer layer{blob, spec::string_member(history, "v1Compatibility", what), "", "", "", "", "", ""};
  const Json compatibility = parse_object(layer.v1_compatibility);
  layer.id = spec::string_member(compatibility, "id", what);
  layer.parent = spec::string_member(compatibility, "parent", what);
  layer.created = spec::string_member(compatibility, "created", what);
  layer.author = spec::string_member(compatibility, "author", what);
  layer.comment = spec::string_member(compatibility, "comment", what);
  layer.created_by = command_of(compatibility);
  layer.empty = spec::bool_member(compatibility, "throwaway", what);
  if (!is_v1_id(layer.id)) refuse("image ID " + spec::dump_json(layer.id) + " is invalid");
  return layer;
}

// Each layer names the one below it; the lower of two equal neighbours says no more than the upper one.
std::vector<Schema1::Layer> check_chain(std::vector<Schema1::Layer> layers) {
  const auto same_id = [](const auto& a, const auto& b) { return a.id == b.id; };
  layers.erase(std::unique(layers.begin(), layers.end(), same_id), layers.end());
  std::set<std::string_view> ids;
  std::string_view below;
  for (const Schema1::Layer& layer : layers) {
    if (!ids.insert(layer.id).second) refuse("ID " + layer.id + " appears multiple times");
    if (layer.parent != below)
      refuse("invalid parent ID, expected \"" + std::string(below) + "\", got " +
             spec::dump_json(layer.parent));
    below = layer.id;
  }
  return layers;
}

void require_schema1(const Json& document) {
  if (spec::size_member(document, "schemaVersion", what) != 1U) refuse("schemaVersion is not 1");
  spec::refuse_ambiguous(document, spec::media_type::docker_manifest_v1_signed, {"fsLayers", "history"});
}

Json schema2_history(const Schema1::Layer& layer) {
  Json entry = {{"created", spec::time_or_zero(layer.created)}};
  if (!layer.author.empty()) entry["author"] = layer.author;
  if (!layer.created_by.empty()) entry["created_by"] = layer.created_by;
  if (!layer.comment.empty()) entry["comment"] = layer.comment;
  if (layer.empty) entry["empty_layer"] = true;
  return entry;
}

}  // namespace

Schema1 Schema1::parse(std::string_view bytes) {
  const Json document = parse_object(spec::manifest_payload(bytes));
  require_schema1(document);
  const auto& fs_layers = spec::array_member(document, "fsLayers", what);
  const auto& history = spec::array_member(document, "history", what);
  if (fs_layers.size() != history.size()) refuse("length of history not equal to number of layers");
  if (fs_layers.empty()) refuse("no fsLayers");

  Schema1 manifest{spec::string_member(document, "name", what),
                   spec::string_member(document, "tag", what),
                   spec::string_member(document, "architecture", what),
                   {}};
  for (std::size_t i = fs_layers.size(); i-- > 0;)
    manifest.layers.push_back(parse_layer(fs_layers[i], history[i]));
  manifest.layers = check_chain(std::move(manifest.layers));
  return manifest;
}

spec::ImageConfig Schema1::config() const {
  return spec::ImageConfig::parse(schema2_config({}));
}

std::string Schema1::schema2_config(const std::vector<spec::DiffId>& diff_ids) const {
  // Go writes this document from a map: its members are sorted.
  std::map<std::string, Json> members;
  const Json top = parse_object(layers.back().v1_compatibility);
  for (const auto& [key, value] : top.get_ref<const Json::object_t&>()) members[key] = value;
  for (const char* key : {"id", "parent", "parent_id", "layer_id", "throwaway", "Size"}) members.erase(key);

  Json rootfs = {{"type", "layers"}};
  for (const spec::DiffId& diff_id : diff_ids) rootfs["diff_ids"].push_back(diff_id.digest.str());
  Json history = Json::array();
  for (const Layer& layer : layers) history.push_back(schema2_history(layer));
  members["rootfs"] = std::move(rootfs);
  members["history"] = std::move(history);
  return spec::dump_json(Json(members));
}

Schema1 Schema1::with_blobs(const std::vector<spec::Digest>& blobs) const {
  if (blobs.size() != layers.size())
    throw Error(Kind::invalid_input, "Error preparing updated manifest: layer count changed from " +
                                         std::to_string(layers.size()) + " to " +
                                         std::to_string(blobs.size()));
  Schema1 copy = *this;
  for (std::size_t i = 0; i < blobs.size(); ++i) copy.layers[i].blob = blobs[i];
  return copy;
}

Schema1 Schema1::with_reference(const spec::Reference& reference) const {
  Schema1 copy = *this;
  copy.name = reference.path();
  copy.tag = reference.tag().value_or("");
  return copy;
}

std::string Schema1::serialize() const {
  Json fs_layers = Json::array(), history = Json::array();
  for (auto layer = layers.rbegin(); layer != layers.rend(); ++layer) {
    fs_layers.push_back({{"blobSum", layer->blob.str()}});
    history.push_back({{"v1Compatibility", layer->v1_compatibility}});
  }
  return spec::dump_json({{"name", name},
                          {"tag", tag},
                          {"architecture", architecture},
                          {"fsLayers", std::move(fs_layers)},
                          {"history", std::move(history)},
                          {"schemaVersion", 1}});
}

std::string_view empty_layer() {
  static constexpr std::array<char, 32> bytes{'\x1f', '\x8b', '\x08', '\x00', '\x00', '\x09', '\x6e', '\x88',
                                              '\x00', '\xff', '\x62', '\x18', '\x05', '\xa3', '\x60', '\x14',
                                              '\x8c', '\x58', '\x00', '\x08', '\x00', '\x00', '\xff', '\xff',
                                              '\x2e', '\xaf', '\xb5', '\xef', '\x00', '\x04', '\x00', '\x00'};
  return {bytes.data(), bytes.size()};
}

const spec::Digest& empty_layer_digest() {
  static const auto digest =
      spec::Digest::parse("sha256:a3ed95caeb02ffe68cdd9fd84406680ae93d633cb16422d00e8a7c22955b46d4");
  return digest;
}

}  // namespace lade::image

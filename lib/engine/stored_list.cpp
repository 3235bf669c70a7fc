#include "engine/stored_list.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "io/digester.hpp"
#include "os/file.hpp"
#include "config/base64.hpp"
#include "spec/media_type.hpp"
#include "store/ids.hpp"

namespace lade::engine {
namespace {

using spec::Json;
using store::ImageRecord;

constexpr const char* list_item = "manifest";
constexpr const char* instances_item = "instances.json";
constexpr const char* artifacts_item = "artifacts.json";
constexpr mode_t private_directory = 0700;

using Texts = std::map<std::string, std::string>;
using TextLists = std::map<std::string, std::vector<std::string>>;

Texts texts_at(const Json& document, const char* name) {
  return spec::string_map_member(document, name, artifacts_item).value_or(Texts());
}

TextLists lists_at(const Json& document, const char* name) {
  TextLists result;
  const Json* member = spec::find_member(document, name);
  if (member == nullptr) return result;
  if (!member->is_object())
    throw Error(Kind::invalid_input, fmt::format("{}: {} is not an object", artifacts_item, name));
  for (const auto& [key, value] : member->items())
    result[key] = spec::strings_member(*member, key, artifacts_item).value_or(std::vector<std::string>());
  return result;
}

template <class Map>
void put_map(Json& json, const char* name, const Map& map) {
  if (!map.empty()) json[name] = map;
}

// "" if the image does not have it.
std::string optional_item(const LocalImages& images, const ImageRecord& image, const char* key) {
  return image.big_data.has(key) ? images.store().image_big_data(images.context(), image.id, key) : "";
}

Texts parse_instances(const std::string& text) {
  if (text.empty()) return {};
  const Json json = spec::parse_json(text, instances_item);
  if (!json.is_object()) throw Error(Kind::invalid_input, "instances.json: not an object");
  Texts result;
  for (const auto& [key, value] : json.items()) {
    if (!value.is_string()) throw Error(Kind::invalid_input, "instances.json: not an object of texts");
    if (!key.empty()) result[key] = value.get<std::string>();
  }
  return result;
}

std::vector<store::BigDataItem> items_of(const StoredList& stored, bool with_id) {
  const std::string manifest = stored.list.serialize();
  Json instances = Json::object();
  if (with_id) instances[""] = stored.id;
  for (const auto& [digest, name] : stored.instances) instances[digest] = name;
  return {{list_item, manifest, io::digest_of(manifest)},
          {instances_item, spec::dump_json(instances), std::nullopt},
          {artifacts_item, stored.artifacts.serialize(), std::nullopt}};
}

}  // namespace

ListArtifacts ListArtifacts::parse(std::string_view text) {
  if (text.empty()) return {};
  const Json json = spec::parse_json(text, artifacts_item);
  if (!json.is_object()) throw Error(Kind::invalid_input, "artifacts.json: not an object");
  ListArtifacts result;
  result.manifests = texts_at(json, "manifests");
  result.files = lists_at(json, "files");
  result.configs = texts_at(json, "config");
  result.layers = lists_at(json, "layers");
  result.detached = texts_at(json, "detached");
  for (const auto& [digest, encoded] : texts_at(json, "blobs")) {
    const auto bytes = config::base64_decode(encoded);
    if (!bytes) throw Error(Kind::invalid_input, "artifacts.json: a blob is not base64");
    result.blobs[digest] = *bytes;
  }
  return result;
}

std::string ListArtifacts::serialize() const {
  Texts encoded;
  for (const auto& [digest, bytes] : blobs) encoded[digest] = config::base64_encode(bytes);
  Json json = Json::object();
  put_map(json, "manifests", manifests);
  put_map(json, "files", files);
  put_map(json, "config", configs);
  put_map(json, "layers", layers);
  put_map(json, "detached", detached);
  put_map(json, "blobs", encoded);
  return spec::dump_json(json);
}

StoredList StoredList::load(const LocalImages& images, std::string_view name) {
  const ImageRecord& image = *images.get(name).image;
  const std::string manifest = images.manifest(image);
  const std::string type = spec::guess_manifest_type(manifest);
  if (type != spec::media_type::docker_list && type != spec::media_type::oci_index)
    throw NotAList(Kind::invalid_input, fmt::format("{}: image is not a manifest list",
                                                    image.names.empty() ? image.id : image.names.front()));
  StoredList stored;
  stored.id = image.id;
  stored.list = ManifestList::parse(manifest);
  stored.instances = parse_instances(optional_item(images, image, instances_item));
  stored.artifacts = ListArtifacts::parse(optional_item(images, image, artifacts_item));
  return stored;
}

void StoredList::save(const Context& context, store::Store& store) const {
  for (const auto& item : items_of(*this, true)) store.set_image_big_data(context, id, item);
}

StoredList create_list(const LocalImages& images, const std::string& name) {
  for (const ImageRecord& image : images.all()) {
    if (std::find(image.names.begin(), image.names.end(), name) == image.names.end()) continue;
    throw Error(Kind::already_exists,
                fmt::format("image name \"{}\" is already associated with image \"{}\": that name is already in use",
                            name, image.id));
  }
  StoredList stored;
  stored.id = store::random_id();
  store::NewImage image;
  image.id = stored.id;
  image.names = {name};
  image.big_data = items_of(stored, false);
  image.metadata = "";
  image.manifest = image.big_data.front().digest;
  images.store().put_image(images.context(), image);
  return stored;
}

os::RecordLock lock_list(const Context& context, const store::Store& store, const std::string& id) {
  const auto& layout = store.layout();
  const auto directory = layout.run_root / (layout.driver + "-locks");
  os::mkdir_all(directory, private_directory);
  return os::RecordLock(context, directory / ("sha256:" + id), os::RecordLock::Mode::exclusive);
}

}  // namespace lade::engine

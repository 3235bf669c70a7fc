#include "transport/docker_archive/writer.hpp"

#include <algorithm>
#include <filesystem>

#include "io/digester.hpp"
#include "spec/json.hpp"

namespace lade::transport::docker_archive {

namespace {

archive::TarHeader file_header(const std::string& name) {
  archive::TarHeader header;
  header.name = name;
  header.mode = 0444;
  return header;
}

std::string layer_file(const spec::Digest& digest) {
  return digest.hex() + ".tar";
}
std::string config_file(const spec::Digest& digest) {
  return digest.hex() + ".json";
}

const std::string& check_is_new(const std::string& path) {
  std::error_code ignored;
  if (std::filesystem::is_regular_file(path, ignored) && std::filesystem::file_size(path, ignored) != 0) {
    throw Error(Kind::already_exists, "docker-archive doesn't support modifying existing images");
  }
  return path;
}

// Go writes the members of a map in the order of their names.
std::string dump_sorted(const std::map<std::string, spec::Json>& members) {
  spec::Json object = spec::Json::object();
  for (const auto& [name, value] : members) object[name] = value;
  return spec::dump_json(object);
}

// What docker's v1 configs had of an image's config; absent members are null.
void add_config_members(const std::string& config_bytes, std::map<std::string, spec::Json>& members) {
  const spec::Json config =
      in_context("unmarshaling config", [&] { return spec::parse_json(config_bytes, "config"); });
  if (!config.is_object()) throw Error(Kind::invalid_input, "unmarshaling config: not an object");
  for (const auto* name :
       {"architecture", "config", "container", "container_config", "created", "docker_version", "os"}) {
    const spec::Json* value = spec::find_member(config, name);
    members[name] = value == nullptr ? spec::Json() : *value;
  }
}

}  // namespace

Writer::Writer(const std::string& path, const std::string& spool_dir)
    : output_(check_is_new(path), spool_dir) {}

Writer::Writer(io::Writer& stream, const std::string& spool_dir) : output_(stream, spool_dir) {}

std::optional<std::uint64_t> Writer::find_blob(const spec::Digest& digest) const {
  const auto found = blobs_.find(digest);
  return found == blobs_.end() ? std::nullopt : std::optional(found->second);
}

BlobInfo Writer::put_blob(const Context& context, const PutBlob& blob, io::Reader& data) {
  const auto header_of = [&](const spec::Digest& digest) -> std::optional<archive::TarHeader> {
    if (blobs_.contains(digest)) return std::nullopt;
    return file_header(blob.is_config ? config_file(digest) : layer_file(digest));
  };
  const BlobInfo info = output_.add_blob(context, blob, data, header_of);
  blobs_.emplace(info.digest, info.size);
  return info;
}

void Writer::add_file(const std::string& name, std::string_view text) {
  output_.add(file_header(name), text);
}

void Writer::add_legacy_layer(const std::string& id, const spec::Digest& layer, const std::string& json) {
  if (!legacy_layers_.insert(id).second) return;
  archive::TarHeader link = file_header(id + "/layer.tar");
  link.type = archive::TarType::symlink;
  link.link = "../" + layer_file(layer);
  link.mode = 0;
  output_.add(link, "");
  add_file(id + "/VERSION", "1.0");
  add_file(id + "/json", json);
}

std::string Writer::add_legacy_layers(const std::vector<spec::Descriptor>& layers,
                                      const std::string& config_bytes) {
  std::string chain_id;
  std::string id;
  for (std::size_t i = 0; i < layers.size(); ++i) {
    const std::string digest = layers[i].digest.str();
    chain_id = chain_id.empty() ? digest : io::digest_of(chain_id + " " + digest).str();
    std::map<std::string, spec::Json> members;
    if (!id.empty()) members["parent"] = id;
    if (i + 1 == layers.size()) add_config_members(config_bytes, members);
    // The id is the digest of the document with the chain id in the place of the id itself.
    members["layer_id"] = chain_id;
    id = io::digest_of(dump_sorted(members)).hex();
    members.erase("layer_id");
    members["id"] = id;
    add_legacy_layer(id, layers[i].digest, dump_sorted(members));
  }
  return id;
}

void Writer::add_image(const std::vector<spec::Descriptor>& layers, const spec::Digest& config,
                       const std::string& config_bytes, const std::vector<spec::Reference>& tags) {
  const std::string top = add_legacy_layers(layers, config_bytes);
  for (const auto& tag : tags) {
    if (!top.empty()) repositories_[tag.name()][*tag.tag()] = top;
  }
  const std::string config_path = config_file(config);
  auto item = std::find_if(items_.begin(), items_.end(),
                           [&](const Item& known) { return known.config == config_path; });
  if (item == items_.end()) {
    Item fresh{config_path, {}, {}};
    for (const auto& layer : layers) fresh.layers.push_back(layer_file(layer.digest));
    item = items_.insert(items_.end(), std::move(fresh));
  }
  for (const auto& tag : tags) {
    const std::string text = tag.name() + ":" + *tag.tag();
    if (std::find(item->tags.begin(), item->tags.end(), text) == item->tags.end()) item->tags.push_back(text);
  }
}

void Writer::finish() {
  spec::Json manifest = spec::Json::array();
  for (const auto& item : items_) {
    manifest.push_back({{"Config", item.config}, {"RepoTags", item.tags}, {"Layers", item.layers}});
  }
  add_file(std::string(manifest_file), spec::dump_json(manifest));
  spec::Json repositories = spec::Json::object();
  for (const auto& [name, tags] : repositories_) repositories[name] = tags;
  add_file("repositories", spec::dump_json(repositories));
  output_.finish();
}

}  // namespace lade::transport::docker_archive

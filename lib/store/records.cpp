#include "store/records.hpp"

#include <algorithm>
#include <array>

#include "base/error.hpp"
#include "store/record_fields.hpp"

namespace lade::store {

namespace {

constexpr std::array compression_numbers = {io::Compression::none, io::Compression::bzip2,
                                            io::Compression::gzip, io::Compression::xz,
                                            io::Compression::zstd};

// An ID becomes a name of files: nothing but a name may be one.
std::string read_id(const FieldReader& fields, std::string_view name, const std::string& what) {
  std::string id = fields.text(name);
  if (id == "." || id == ".." || id.find('/') != std::string::npos || id.find('\0') != std::string::npos)
    throw Error(Kind::invalid_input, what + ": " + std::string(name) + " is not an ID");
  return id;
}

std::string read_own_id(const FieldReader& fields, const std::string& what) {
  std::string id = read_id(fields, "id", what);
  if (id.empty()) throw Error(Kind::invalid_input, what + ": id is missing");
  return id;
}

BigData read_big_data(const FieldReader& fields) {
  return {fields.texts("big-data-names"), fields.integer_map("big-data-sizes"),
          fields.text_map("big-data-digests")};
}

void write_big_data(FieldWriter& writer, const BigData& before, const BigData& after) {
  writer.set_changed("big-data-names", before.names, after.names);
  writer.set_changed("big-data-sizes", before.sizes, after.sizes);
  writer.set_changed("big-data-digests", before.digests, after.digests);
}

void write_ids(FieldWriter& writer, const layer::IdMaps& before, const layer::IdMaps& after) {
  writer.set_changed("uidmap", before.uids, after.uids);
  writer.set_changed("gidmap", before.gids, after.gids);
}

bool flag(const Json& flags, const char* name) {
  const auto found = flags.find(name);
  return found != flags.end() && found->is_boolean() && found->get<bool>();
}

}  // namespace

bool LayerRecord::is_incomplete() const {
  return flag(flags, "incomplete");
}

void LayerRecord::set_incomplete(bool incomplete) {
  if (incomplete)
    flags["incomplete"] = true;
  else
    flags.erase("incomplete");
}

LayerRecord LayerRecord::parse(Json document, std::string_view what) {
  const FieldReader fields(document, std::string(what));
  LayerRecord result;
  result.id = read_own_id(fields, std::string(what));
  result.names = fields.texts("names");
  result.parent = read_id(fields, "parent", std::string(what));
  result.metadata = fields.text("metadata");
  result.mount_label = fields.text("mountlabel");
  result.created = fields.text("created");
  result.compressed_digest = fields.digest("compressed-diff-digest");
  result.compressed_size = fields.integer("compressed-size");
  result.diff_digest = fields.digest("diff-digest");
  result.toc_digest = fields.digest("toc-digest");
  result.diff_size = fields.integer("diff-size");
  result.compression = fields.integer("compression");
  result.uids = fields.numbers("uidset");
  result.gids = fields.numbers("gidset");
  result.flags = fields.object("flags");
  result.ids = {fields.id_maps("uidmap"), fields.id_maps("gidmap")};
  result.big_data_names = fields.texts("big-data-names");
  result.document = std::move(document);
  return result;
}

Json LayerRecord::to_json() const {
  Json result = document;
  const LayerRecord before = document.empty() ? LayerRecord() : parse(document, id);
  FieldWriter writer(result);
  writer.set_changed("id", before.id, id);
  writer.set_changed("names", before.names, names);
  writer.set_changed("parent", before.parent, parent);
  writer.set_changed("metadata", before.metadata, metadata);
  writer.set_changed("mountlabel", before.mount_label, mount_label);
  writer.set_changed("created", before.created, created);
  writer.set_changed("compressed-diff-digest", before.compressed_digest, compressed_digest);
  writer.set_changed("compressed-size", before.compressed_size, compressed_size);
  writer.set_changed("diff-digest", before.diff_digest, diff_digest);
  writer.set_changed("toc-digest", before.toc_digest, toc_digest);
  writer.set_changed("diff-size", before.diff_size, diff_size);
  writer.set_changed("compression", before.compression, compression);
  writer.set_changed("uidset", before.uids, uids);
  writer.set_changed("gidset", before.gids, gids);
  writer.set_changed("flags", before.flags, flags);
  write_ids(writer, before.ids, ids);
  writer.set_changed("big-data-names", before.big_data_names, big_data_names);
  return result;
}

bool BigData::has(std::string_view name) const {
  return std::ranges::find(names, name) != names.end();
}

void BigData::set(const std::string& name, std::int64_t size, const spec::Digest& digest) {
  if (!has(name)) names.push_back(name);
  sizes[name] = size;
  digests[name] = digest.str();
}

std::vector<spec::Digest> ImageRecord::digests() const {
  std::vector<spec::Digest> result;
  const auto add = [&](const std::string& text) {
    const auto parsed = spec::Digest::try_parse(text);
    if (parsed && std::ranges::find(result, *parsed) == result.end()) result.push_back(*parsed);
  };
  add(digest);
  for (const auto& [name, text] : big_data.digests)
    if (name.starts_with("manifest")) add(text);
  return result;
}

ImageRecord ImageRecord::parse(Json document, std::string_view what) {
  const FieldReader fields(document, std::string(what));
  ImageRecord result;
  result.id = read_own_id(fields, std::string(what));
  result.digest = fields.text("digest");
  result.names = fields.texts("names");
  result.names_history = fields.texts("names-history");
  result.layer = read_id(fields, "layer", std::string(what));
  result.mapped_layers = fields.texts("mapped-layers");
  result.metadata = fields.text("metadata");
  result.big_data = read_big_data(fields);
  result.created = fields.text("created");
  result.flags = fields.object("flags");
  result.document = std::move(document);
  return result;
}

Json ImageRecord::to_json() const {
  Json result = document;
  const ImageRecord before = document.empty() ? ImageRecord() : parse(document, id);
  FieldWriter writer(result);
  writer.set_changed("id", before.id, id);
  writer.set_changed("digest", before.digest, digest);
  writer.set_changed("names", before.names, names);
  writer.set_changed("names-history", before.names_history, names_history);
  writer.set_changed("layer", before.layer, layer);
  writer.set_changed("mapped-layers", before.mapped_layers, mapped_layers);
  writer.set_changed("metadata", before.metadata, metadata);
  write_big_data(writer, before.big_data, big_data);
  writer.set_changed("created", before.created, created);
  writer.set_changed("flags", before.flags, flags);
  return result;
}

bool ContainerRecord::is_volatile() const {
  return flag(flags, "Volatile");
}

ContainerRecord ContainerRecord::parse(Json document, std::string_view what) {
  const FieldReader fields(document, std::string(what));
  ContainerRecord result;
  result.id = read_own_id(fields, std::string(what));
  result.names = fields.texts("names");
  result.image = fields.text("image");
  result.layer = read_id(fields, "layer", std::string(what));
  result.metadata = fields.text("metadata");
  result.big_data = read_big_data(fields);
  result.created = fields.text("created");
  result.ids = {fields.id_maps("uidmap"), fields.id_maps("gidmap")};
  result.flags = fields.object("flags");
  result.document = std::move(document);
  return result;
}

Json ContainerRecord::to_json() const {
  Json result = document;
  const ContainerRecord before = document.empty() ? ContainerRecord() : parse(document, id);
  FieldWriter writer(result);
  writer.set_changed("id", before.id, id);
  writer.set_changed("names", before.names, names);
  writer.set("image", image);
  if (image.empty()) result["image"] = "";
  writer.set_changed("layer", before.layer, layer);
  writer.set_changed("metadata", before.metadata, metadata);
  write_big_data(writer, before.big_data, big_data);
  writer.set_changed("created", before.created, created);
  write_ids(writer, before.ids, ids);
  writer.set_changed("flags", before.flags, flags);
  return result;
}

std::optional<io::Compression> compression_of(const LayerRecord& layer) {
  const auto number = static_cast<std::size_t>(layer.compression);
  if (layer.compression < 0 || number >= compression_numbers.size()) return std::nullopt;
  return compression_numbers[number];
}

std::int64_t compression_number(io::Compression compression) {
  return std::ranges::find(compression_numbers, compression) - compression_numbers.begin();
}

}  // namespace lade::store

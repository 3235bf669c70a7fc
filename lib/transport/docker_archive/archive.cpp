#include "transport/docker_archive/archive.hpp"

#include "spec/json.hpp"
#include "transport/archive_input.hpp"

namespace lade::transport::docker_archive {

namespace {

constexpr std::size_t max_manifest_file_size = 1 << 20;
constexpr std::string_view what = "decoding tar manifest.json";

Item parse_item(const spec::Json& json) {
  if (!json.is_object()) throw Error(Kind::invalid_input, std::string(what) + ": an item is not an object");
  Item item;
  item.config = spec::string_member(json, "Config", what);
  item.tags = spec::strings_member(json, "RepoTags", what).value_or(std::vector<std::string>());
  item.layers = spec::strings_member(json, "Layers", what).value_or(std::vector<std::string>());
  return item;
}

std::vector<Item> parse_items(const std::string& text) {
  const spec::Json document = spec::parse_json(text, what, max_manifest_file_size);
  if (!document.is_array()) throw Error(Kind::invalid_input, std::string(what) + ": not a list");
  std::vector<Item> items;
  for (const auto& json : document) items.push_back(parse_item(json));
  return items;
}

const Item& choose_by_tag(const std::vector<Item>& items, const spec::Reference& reference) {
  for (std::size_t i = 0; i < items.size(); ++i) {
    for (const auto& tag : items[i].tags) {
      const auto parsed = in_context(
          [&] {
            return "Invalid tag " + spec::dump_json(tag) + " in manifest.json item @" + std::to_string(i);
          },
          [&] { return spec::Reference::parse(tag); });
      if (parsed == reference) return items[i];
    }
  }
  throw Error(Kind::invalid_input, "Tag " + spec::dump_json(reference.str()) + " not found");
}

}  // namespace

Archive::Archive(const Context& context, const std::string& path, const std::string& spool_dir)
    : Archive(open_archive(context, path, spool_dir, archive::TarIndex::Duplicates::first)) {}

Archive::Archive(archive::TarIndex tar)
    : tar_(std::move(tar)), items_(parse_items(read(std::string(manifest_file), max_manifest_file_size))) {}

const Item& Archive::choose(const ArchiveName& name) const {
  if (name.reference) return choose_by_tag(items_, *name.reference);
  if (name.index && *name.index >= items_.size()) {
    throw Error(Kind::invalid_input, "Invalid source index @" + std::to_string(*name.index) + ", only " +
                                         std::to_string(items_.size()) + " manifest items available");
  }
  if (name.index) return items_[*name.index];
  if (items_.size() != 1) {
    throw Error(Kind::invalid_input,
                "Unexpected tar manifest.json: expected 1 item, got " + std::to_string(items_.size()));
  }
  return items_.front();
}

const archive::TarEntry& Archive::entry(const std::string& path) const {
  const auto* entry = tar_.find_file(path);
  if (entry == nullptr) {
    throw Error(Kind::not_found, "loading tar component " + spec::dump_json(path) + ": file does not exist");
  }
  if (entry->header.type != archive::TarType::regular) {
    throw Error(Kind::invalid_input,
                "Error reading tar archive component " + spec::dump_json(path) + ": not a regular file");
  }
  return *entry;
}

std::string Archive::read(const std::string& path, std::uint64_t limit) const {
  const auto reader = open(entry(path));
  return io::read_all(*reader, limit, path);
}

}  // namespace lade::transport::docker_archive

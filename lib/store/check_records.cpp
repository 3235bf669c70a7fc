#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "spec/reference.hpp"
#include "store/check_parts.hpp"
#include "store/ids.hpp"
#include "store/record_file.hpp"

namespace lade::store {

namespace {

using Mend = Finding::Mend;
using Object = Finding::Object;
using Remedy = Finding::Remedy;

template <class Record>
using RecordFiles = std::vector<typename RecordTable<Record>::File>;

// An ID that is in two files counts once, in the first.
template <class Record>
void find_doubles(Check& check, Object object, const RecordFiles<Record>& files) {
  std::set<std::string> seen;
  for (const auto& file : files) {
    for (const auto& record : read_records<Record>(file.path)) {
      if (seen.insert(record.id).second) continue;
      check.add({.object = object,
                 .id = record.id,
                 .path = file.path,
                 .problem = "there is another record of this ID, which counts",
                 .mend = Mend::plain,
                 .remedy = Remedy::write_records});
    }
  }
}

// A file that nobody can read makes the store useless for every tool.
template <class Record>
bool read_table(Check& check, Object object, RecordTable<Record>& table, const RecordFiles<Record>& files) {
  try {
    table = RecordTable<Record>::read(files);
    find_doubles<Record>(check, object, files);
    return true;
  } catch (const Error& error) {
    check.add({.problem = fmt::format("no tool can use this store: {}", error.what())});
    return false;
  }
}

template <class Record>
void find_double_names(Check& check, Object object, const RecordTable<Record>& table) {
  std::map<std::string, const Record*> owners;
  for (const auto& [record, place] : table.entries()) {
    for (const std::string& name : record.names) {
      const auto [owner, is_new] = owners.emplace(name, &record);
      if (is_new) continue;
      check.add({.object = object,
                 .id = owner->second->id,
                 .names = owner->second->names,
                 .problem = fmt::format("{} has the name {} too, and keeps it", record.id, name),
                 .mend = Mend::plain,
                 .remedy = Remedy::write_records});
      owner->second = &record;
    }
  }
}

bool stands_on_itself(const CheckedRecords& records, const LayerRecord& layer) {
  std::set<std::string> seen;
  const LayerRecord* at = &layer;
  while (at != nullptr && !at->parent.empty()) {
    if (!seen.insert(at->id).second) return true;
    const auto* entry = records.layers.find_entry(at->parent);
    at = entry == nullptr ? nullptr : &entry->record;
  }
  return false;
}

bool is_name(const std::string& text) {
  try {
    return !spec::Reference::parse(text).is_name_only();
  } catch (const Error&) {
    return false;
  }
}

}  // namespace

void Check::add_layer(const std::string& id, std::string problem, const Path& path, Mend mend,
                      Remedy remedy) {
  add({.object = Object::layer,
       .id = id,
       .path = path,
       .problem = std::move(problem),
       .mend = mend,
       .remedy = remedy});
}

void Check::add_damage(const std::string& id, std::string problem, const Path& path) {
  damaged_layers.insert(id);
  add_layer(id, std::move(problem), path);
}

void Check::add_orphan(const Path& path, std::string problem, Mend mend) {
  add({.path = path, .problem = std::move(problem), .mend = mend, .remedy = Remedy::remove_path});
}

bool read_records(Check& check) {
  const Layout& layout = check.layout;
  RecordFiles<LayerRecord> layers = {{Place::stable, layout.layers() / "layers.json"}};
  if (layout.has_image_store())
    layers.push_back({Place::image_store, layout.image_store_layers() / "layers.json"});
  layers.push_back({Place::volatile_file, layout.volatile_layers_file()});
  bool readable = read_table(check, Object::layer, check.records.layers, layers);
  readable &= read_table(check, Object::image, check.records.images,
                         {{Place::stable, layout.images() / "images.json"}});
  readable &= read_table(check, Object::container, check.records.containers,
                         {{Place::stable, layout.containers() / "containers.json"},
                          {Place::volatile_file, layout.containers_records() / "volatile-containers.json"}});
  if (!readable) return false;
  for (const auto& layer : check.store.layers(check.context))
    if (check.records.layers.find_entry(layer.id) == nullptr) check.records.foreign_layers.insert(layer.id);
  for (const auto& image : check.store.images(check.context))
    if (check.records.images.find_entry(image.id) == nullptr) check.records.foreign_images.insert(image.id);
  return true;
}

void check_names(Check& check) {
  find_double_names(check, Object::layer, check.records.layers);
  find_double_names(check, Object::image, check.records.images);
  find_double_names(check, Object::container, check.records.containers);
}

void check_layer_records(Check& check) {
  for (const auto& [layer, place] : check.records.layers.entries()) {
    if (layer.is_incomplete()) {
      check.add_layer(layer.id, "it was being made or removed when that was broken off", {}, Mend::plain,
                      Remedy::recover);
      continue;
    }
    if (!is_id(layer.id)) {
      check.add_layer(layer.id, "its ID is not 64 hexadecimal digits");
      continue;
    }
    if (!layer.parent.empty() && !check.records.knows_layer(layer.parent)) {
      check.add_damage(layer.id, fmt::format("its parent {} is not in the store", layer.parent));
    } else if (stands_on_itself(check.records, layer)) {
      check.add_damage(layer.id, "it is its own ancestor");
    }
  }
}

void check_image_records(Check& check) {
  for (const auto& [image, place] : check.records.images.entries()) {
    const auto add = [&, &image = image](std::string problem, Mend mend = Mend::never,
                                         Remedy remedy = Remedy::none) {
      check.add({.object = Object::image,
                 .id = image.id,
                 .names = image.names,
                 .problem = std::move(problem),
                 .mend = mend,
                 .remedy = remedy});
    };
    if (!is_id(image.id)) add("its ID is not 64 hexadecimal digits");
    if (!image.layer.empty() && !check.records.knows_layer(image.layer))
      add(fmt::format("its top layer {} is not in the store", image.layer), Mend::by_force,
          Remedy::remove_image);
    for (const std::string& mapped : image.mapped_layers)
      if (!check.records.knows_layer(mapped))
        add(fmt::format("the copy {} of its top layer is not in the store", mapped), Mend::plain,
            Remedy::write_records);
    for (const std::string& name : image.names)
      if (!is_name(name)) add(fmt::format("\"{}\" is no name of an image", name));
  }
}

void check_container_records(Check& check) {
  for (const auto& [container, place] : check.records.containers.entries()) {
    const auto add = [&, &container = container](std::string problem) {
      check.add({.object = Object::container,
                 .id = container.id,
                 .names = container.names,
                 .problem = std::move(problem)});
    };
    if (!check.records.knows_layer(container.layer))
      add(fmt::format("its layer {} is not in the store", container.layer));
    if (!container.image.empty() && !check.records.knows_image(container.image))
      add(fmt::format("its image {} is not in the store", container.image));
  }
}

}  // namespace lade::store

#include <algorithm>
#include <set>

#include "os/file.hpp"
#include "os/remove_tree.hpp"
#include "store/store_impl.hpp"

namespace lade::store {

namespace {

bool is_used(const std::string& id, const LayerTable& layers, const ImageTable& images,
             const ContainerTable& containers, const std::set<std::string>& leaving) {
  for (const auto& [layer, place] : layers.entries())
    if (layer.parent == id && !leaving.contains(layer.id)) return true;
  for (const auto& [image, place] : images.entries())
    if (image.layer == id || std::ranges::find(image.mapped_layers, id) != image.mapped_layers.end())
      return true;
  return std::ranges::any_of(containers.entries(),
                             [&](const auto& entry) { return entry.record.layer == id; });
}

}  // namespace

LayerChanges::LayerChanges(Store::Impl& store, const Context& context)
    : store_(store), context_(context), writing_(store.records->write_layers(context)) {
  recover();
}

void LayerChanges::recover() {
  std::vector<std::string> incomplete;
  for (const auto& [layer, place] : table().entries())
    if (layer.is_incomplete()) incomplete.push_back(layer.id);
  if (incomplete.empty()) return;
  context_.log.info("removing " + std::to_string(incomplete.size()) + " incomplete layers");
  remove(incomplete);
}

TempDirectory& LayerChanges::trash(Place place) {
  auto& result = place == Place::image_store ? image_trash_ : trash_;
  if (!result) result.emplace(context_, store_.driver->temp_parent(place == Place::image_store));
  return *result;
}

void LayerChanges::add(const std::vector<Addition>& additions) {
  // Should we be killed in between, the next program that opens the store removes what is flagged.
  for (const auto& addition : additions) {
    LayerRecord record = addition.record;
    record.set_incomplete(true);
    table().add(std::move(record), addition.place);
  }
  writing_->save(false);
  try {
    for (const auto& addition : additions) {
      const auto& record = addition.record;
      store_.driver->publish(
          {record.id, record.parent, addition.place == Place::image_store, addition.content, record.ids},
          trash(addition.place));
      if (!addition.tar_split.empty())
        os::rename_file(addition.tar_split, store_.layout.tar_split(record.id));
      BigData facts;  // records of layers hold the names alone
      for (const auto& item : addition.big_data)
        write_big_data(store_.layout.layers() / record.id, item, facts);
    }
  } catch (...) {
    take_back(additions);
    throw;
  }
  for (const auto& addition : additions) table().edit(addition.record.id).set_incomplete(false);
  if (store_.driver_options.sync) {
    for (const auto& path : {store_.layout.home(), store_.layout.layers()}) os::sync_file_system(path);
  }
  writing_->save();
}

void LayerChanges::take_back(const std::vector<Addition>& additions) noexcept {
  try {
    std::vector<std::string> ids;
    for (const auto& addition : additions) ids.push_back(addition.record.id);
    std::ranges::reverse(ids);
    remove(ids);
  } catch (const std::exception& error) {
    context_.log.warning(std::string("removing layers that could not be added: ") + error.what());
  }
}

void LayerChanges::take_files(const std::string& id, Place place) {
  store_.driver->discard(id, place == Place::image_store, trash(place));
  os::remove_file(store_.layout.tar_split(id));
  os::remove_tree(store_.layout.layers() / id);
  store_.forget_mounts(context_, id);
}

void LayerChanges::remove(const std::vector<std::string>& ids) {
  for (const auto& id : ids) table().edit(id).set_incomplete(true);
  writing_->save(false);
  for (const auto& id : ids) {
    take_files(id, table().find_entry(id)->place);
    table().remove(id);
  }
  writing_->save();
}

std::vector<std::string> LayerChanges::unneeded(const std::string& top, const ImageTable& images,
                                                const ContainerTable& containers) {
  std::vector<std::string> result;
  std::set<std::string> leaving;
  for (std::string id = top; !id.empty();) {
    const LayerRecord* layer = table().find(id);
    if (layer == nullptr || leaving.contains(id) || is_used(id, table(), images, containers, leaving)) break;
    result.push_back(id);
    leaving.insert(id);
    id = layer->parent;
  }
  return result;
}

}  // namespace lade::store

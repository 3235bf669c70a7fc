#include <algorithm>

#include "os/file.hpp"
#include "os/remove_tree.hpp"
#include "store/ids.hpp"
#include "store/store_impl.hpp"

namespace lade::store {

namespace {

Error container_missing(const std::string& id) {
  return Error(Kind::not_found, "container " + id + " is not in the store");
}

spec::Json container_flags(const NewContainer& container) {
  spec::Json flags = {{"MountLabel", container.mount_label}, {"ProcessLabel", container.process_label}};
  if (!container.mount_options.empty()) flags["MountOpts"] = container.mount_options;
  if (container.is_volatile) flags["Volatile"] = true;
  return flags;
}

std::string text_flag(const ContainerRecord& container, const char* name) {
  const auto found = container.flags.find(name);
  return found != container.flags.end() && found->is_string() ? found->get<std::string>() : "";
}

std::vector<std::string> mount_options_of(const ContainerRecord& container) {
  std::vector<std::string> result;
  const auto found = container.flags.find("MountOpts");
  if (found == container.flags.end() || !found->is_array()) return result;
  for (const auto& option : *found)
    if (option.is_string()) result.push_back(option.get<std::string>());
  return result;
}

void check_container_names(const ContainerTable& containers, const std::string& own_id,
                           const std::vector<std::string>& names) {
  for (const auto& name : names)
    for (const auto& [container, place] : containers.entries())
      if (container.id != own_id && std::ranges::find(container.names, name) != container.names.end())
        throw Error(Kind::already_exists,
                    "the container name \"" + name + "\" is already in use by " + container.id);
}

ContainerRecord& edit_container(ContainerTable& containers, const std::string& id) {
  if (containers.find(id) == nullptr) throw container_missing(id);
  return containers.edit(id);
}

}  // namespace

ContainerRecord Store::create_container(const Context& context, const NewContainer& container) {
  impl_->require_writable();
  LayerChanges layers(*impl_, context);
  ContainerRecord record;
  record.id = random_id();
  record.names = container.names;
  record.image = container.image;
  record.layer = random_id();
  record.metadata = container.metadata;
  record.created = format_time(context.clock.now());
  record.flags = container_flags(container);
  record.ids = container.ids;

  LayerRecord layer;
  layer.id = record.layer;
  layer.names = container.layer_names;
  layer.parent = container.parent;
  layer.mount_label = container.mount_label;
  layer.ids = container.ids;
  layer.created = record.created;
  if (!container.image.empty()) {
    const auto image = impl_->find_image(context, container.image);
    if (!image || image->record.id != container.image)
      throw Error(Kind::image_not_found, "image " + container.image + " is not in the store");
    if (layer.parent.empty()) layer.parent = image->record.layer;
  }
  if (!layer.parent.empty() && !impl_->has_layer(context, layers.table(), layer.parent))
    throw Error(Kind::not_found, "layer " + layer.parent + " is not in the store");

  const bool in_volatile_file =
      (container.is_volatile && container.in_volatile_files) || impl_->layout.transient;
  auto containers = impl_->records->write_containers(context);
  check_container_names(containers.table(), record.id, record.names);
  layers.add({{layer, impl_->place_of_layer(false, in_volatile_file), {}, {}}});
  os::mkdir_all(container_directory(record.id), 0700);
  os::mkdir_all(container_run_directory(record.id), 0700);
  containers->add(record, in_volatile_file ? Place::volatile_file : Place::stable);
  containers.save();
  return record;
}

void Store::delete_container(const Context& context, const std::string& id) {
  impl_->require_writable();
  LayerChanges layers(*impl_, context);
  auto containers = impl_->records->write_containers(context);
  const ContainerRecord* found = containers->find(id);
  if (found == nullptr) throw container_missing(id);
  const std::string layer = found->layer;
  // First what refers, then what is referred to.
  containers->remove(id);
  containers.save();
  if (layers.table().find(layer) != nullptr) layers.remove({layer});
  for (const auto& directory : {impl_->layout.containers() / id, impl_->layout.run_containers() / id})
    os::remove_tree(directory);
}

std::string Store::container_big_data(const Context& context, const std::string& container,
                                      const std::string& key) const {
  for (int attempt = 0; attempt < 2; ++attempt) {
    const auto found = find_container(context, container);
    if (!found) throw container_missing(container);
    if (!found->big_data.has(key))
      throw Error(Kind::not_found, "container " + found->id + " has no item " + key);
    if (auto bytes = read_big_data(impl_->layout.containers() / found->id, key, found->big_data))
      return *std::move(bytes);
  }
  throw Error(Kind::integrity,
              "container " + container + ": the item " + key + " does not have the recorded size");
}

void Store::set_container_big_data(const Context& context, const std::string& id, const BigDataItem& item) {
  impl_->require_writable();
  auto containers = impl_->records->write_containers(context);
  ContainerRecord& container = edit_container(containers.table(), id);
  write_big_data(impl_->layout.containers() / id, item, container.big_data);
  containers.save();
}

void Store::set_container_metadata(const Context& context, const std::string& id,
                                   const std::string& metadata) {
  impl_->require_writable();
  auto containers = impl_->records->write_containers(context);
  edit_container(containers.table(), id).metadata = metadata;
  containers.save();
}

void Store::set_container_names(const Context& context, const std::string& id,
                                const std::vector<std::string>& names) {
  impl_->require_writable();
  auto containers = impl_->records->write_containers(context);
  check_container_names(containers.table(), id, names);
  edit_container(containers.table(), id).names = names;
  containers.save();
}

Path Store::container_directory(const std::string& id) const {
  return impl_->layout.containers() / id / "userdata";
}

Path Store::container_run_directory(const std::string& id) const {
  return impl_->layout.run_containers() / id / "userdata";
}

Path Store::mount_container(const Context& context, const std::string& id) {
  impl_->require_writable();
  const auto container = find_container(context, id);
  if (!container) throw container_missing(id);
  MountRequest request;
  request.layer = container->layer;
  request.is_volatile = container->is_volatile();
  request.mount_label = text_flag(*container, "MountLabel");
  request.options = mount_options_of(*container);
  request.ids = container->ids;
  return impl_->mount(context, request);
}

bool Store::unmount_container(const Context& context, const std::string& id, bool force) {
  const auto container = find_container(context, id);
  if (!container) throw container_missing(id);
  return impl_->unmount(context, container->layer, force);
}

}  // namespace lade::store

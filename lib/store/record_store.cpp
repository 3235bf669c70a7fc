#include "store/record_store.hpp"

namespace lade::store {

namespace {

// Changes whenever somebody wrote, even somebody who does not know of last writers.
template <class Files>
std::string version_under_lock(const StoreLock& lock, const std::optional<StoreLock>& image_lock,
                               const Files& files) {
  std::string result = lock.last_writer();
  if (image_lock) result.append("|").append(image_lock->last_writer());
  for (const auto& file : files) {
    const FileVersion version = version_of(file.path);
    for (const auto number :
         {std::uint64_t(version.seconds), std::uint64_t(version.nanoseconds), version.inode, version.size})
      result.append(" ").append(std::to_string(number));
  }
  return result;
}

// The later of two images that claim one name has it.
void drop_duplicate_names(LayerTable&) {}
void drop_duplicate_names(ContainerTable&) {}
void drop_duplicate_names(ImageTable& table) {
  std::unordered_map<std::string, std::string> owner;
  std::vector<std::pair<std::string, std::string>> lost;
  for (const auto& entry : table.entries()) {
    for (const auto& name : entry.record.names) {
      const auto [found, is_new] = owner.try_emplace(name, entry.record.id);
      if (is_new || found->second == entry.record.id) continue;
      lost.emplace_back(found->second, name);
      found->second = entry.record.id;
    }
  }
  for (const auto& [id, name] : lost) std::erase(table.edit(id).names, name);
}

}  // namespace

StoreLock RecordStore::lock(const Context& context, const Path& path, LockMode mode) const {
  if (is_read_only()) return StoreLock::of_read_only(context, path);
  return StoreLock(context, path, mode);
}

RecordStore::FilesOf<LayerRecord> RecordStore::layer_files() const {
  FilesOf<LayerRecord> result{layout_.layers() / "layers.lock", {}, {}};
  result.files.push_back({Place::stable, layout_.layers() / "layers.json"});
  if (layout_.has_image_store()) {
    result.image_lock = layout_.image_store_layers() / "layers.lock";
    result.files.push_back({Place::image_store, layout_.image_store_layers() / "layers.json"});
  }
  result.files.push_back({Place::volatile_file, layout_.volatile_layers_file()});
  return result;
}

RecordStore::FilesOf<ImageRecord> RecordStore::image_files() const {
  return {layout_.images() / "images.lock", {}, {{Place::stable, layout_.images() / "images.json"}}};
}

RecordStore::FilesOf<ContainerRecord> RecordStore::container_files() const {
  const Path records = layout_.containers_records();
  return {records / "containers.lock",
          {},
          {{Place::stable, layout_.containers() / "containers.json"},
           {Place::volatile_file, records / "volatile-containers.json"}}};
}

template <class Record>
std::shared_ptr<const RecordTable<Record>> RecordStore::read(const Context& context,
                                                             const FilesOf<Record>& kind,
                                                             Sync<Cached<Record>>& cached) const {
  const StoreLock held = lock(context, kind.lock, LockMode::shared);
  std::optional<StoreLock> image_lock;
  if (kind.image_lock) image_lock = lock(context, *kind.image_lock, LockMode::shared);
  std::string version = version_under_lock(held, image_lock, kind.files);
  {
    auto known = cached.lock();
    if (known->table && known->version == version) return known->table;
  }
  auto table = RecordTable<Record>::read(kind.files);
  drop_duplicate_names(table);
  auto shared = std::make_shared<const RecordTable<Record>>(std::move(table));
  auto known = cached.lock();
  known->version = std::move(version);
  known->table = shared;
  return shared;
}

template <class Record>
Writing<Record> RecordStore::write(const Context& context, const FilesOf<Record>& kind) const {
  if (is_read_only()) throw Error(Kind::unsupported, layout_.graph_root.string() + " is read-only");
  StoreLock held = lock(context, kind.lock, LockMode::exclusive);
  std::optional<StoreLock> image_lock;
  if (kind.image_lock) image_lock = lock(context, *kind.image_lock, LockMode::exclusive);
  auto table = RecordTable<Record>::read(kind.files);
  drop_duplicate_names(table);
  return {std::move(held), std::move(image_lock), std::move(table)};
}

std::shared_ptr<const LayerTable> RecordStore::layers(const Context& context) const {
  return read(context, layer_files(), layers_);
}

std::shared_ptr<const ImageTable> RecordStore::images(const Context& context) const {
  return read(context, image_files(), images_);
}

std::shared_ptr<const ContainerTable> RecordStore::containers(const Context& context) const {
  return read(context, container_files(), containers_);
}

Writing<LayerRecord> RecordStore::write_layers(const Context& context) const {
  return write(context, layer_files());
}

Writing<ImageRecord> RecordStore::write_images(const Context& context) const {
  return write(context, image_files());
}

Writing<ContainerRecord> RecordStore::write_containers(const Context& context) const {
  return write(context, container_files());
}

StoreLock RecordStore::lock_layers(const Context& context) const {
  return lock(context, layer_files().lock, LockMode::shared);
}

}  // namespace lade::store

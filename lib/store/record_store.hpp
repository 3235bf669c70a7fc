// The records of one store, read and written under its locks.
#pragma once

#include <memory>
#include <optional>
#include <utility>

#include "base/sync.hpp"
#include "store/layout.hpp"
#include "store/record_table.hpp"
#include "store/store_lock.hpp"

namespace lade::store {

// A table while its lock is held for writing. Several are taken in the order layers, images, containers.
template <class Record>
class [[nodiscard]] Writing {
 public:
  Writing(StoreLock lock, std::optional<StoreLock> image_lock, RecordTable<Record> table)
      : lock_(std::move(lock)), image_lock_(std::move(image_lock)), table_(std::move(table)) {}

  RecordTable<Record>& table() { return table_; }
  RecordTable<Record>* operator->() { return &table_; }

  // Makes the changes visible. Idempotent; may be called several times.
  void save(bool sync = true) {
    if (!table_.is_dirty()) return;
    if (image_lock_ && table_.is_dirty(Place::image_store)) image_lock_->mark_written();
    lock_.mark_written();
    table_.write(sync);
  }

 private:
  StoreLock lock_;
  std::optional<StoreLock> image_lock_;
  RecordTable<Record> table_;
};

// Thread-safe. Tables that were read are kept until their lock file says that somebody wrote.
class RecordStore {
 public:
  enum class Access { read_write, read_only };

  RecordStore(Layout layout, Access access) : layout_(std::move(layout)), access_(access) {}

  const Layout& layout() const { return layout_; }
  bool is_read_only() const { return access_ == Access::read_only; }

  std::shared_ptr<const LayerTable> layers(const Context& context) const;
  std::shared_ptr<const ImageTable> images(const Context& context) const;
  std::shared_ptr<const ContainerTable> containers(const Context& context) const;

  // Locked for writing, and as it is on disk now.
  Writing<LayerRecord> write_layers(const Context& context) const;
  Writing<ImageRecord> write_images(const Context& context) const;
  Writing<ContainerRecord> write_containers(const Context& context) const;

  // Held, layers do not come or go.
  StoreLock lock_layers(const Context& context) const;

 private:
  template <class Record>
  struct Cached {
    std::string version;
    std::shared_ptr<const RecordTable<Record>> table;
  };
  template <class Record>
  struct FilesOf {
    Path lock;
    std::optional<Path> image_lock;
    std::vector<typename RecordTable<Record>::File> files;
  };

  FilesOf<LayerRecord> layer_files() const;
  FilesOf<ImageRecord> image_files() const;
  FilesOf<ContainerRecord> container_files() const;
  StoreLock lock(const Context& context, const Path& path, LockMode mode) const;
  template <class Record>
  std::shared_ptr<const RecordTable<Record>> read(const Context& context, const FilesOf<Record>& kind,
                                                  Sync<Cached<Record>>& cached) const;
  template <class Record>
  Writing<Record> write(const Context& context, const FilesOf<Record>& kind) const;

  Layout layout_;
  Access access_;
  mutable Sync<Cached<LayerRecord>> layers_;
  mutable Sync<Cached<ImageRecord>> images_;
  mutable Sync<Cached<ContainerRecord>> containers_;
};

}  // namespace lade::store

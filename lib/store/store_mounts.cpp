#include <algorithm>

#include "os/file.hpp"
#include "store/record_fields.hpp"
#include "store/record_file.hpp"
#include "store/store_impl.hpp"

namespace lade::store {

namespace {

// mountpoints.json: which layers are mounted, and how often. Under its own lock, the innermost one.
class MountCounts {
 public:
  MountCounts(const Context& context, const Layout& layout)
      : file_(layout.run_layers() / "mountpoints.json"),
        lock_(context, layout.run_layers() / "mountpoints.lock", LockMode::exclusive),
        entries_(read_json_array(file_)) {}

  Store::MountState of(const std::string& layer) const {
    for (const auto& entry : entries_) {
      const FieldReader fields(entry, file_.string());
      if (fields.text("id") == layer)
        return {fields.text("path"), static_cast<int>(std::max<std::int64_t>(fields.integer("count"), 0))};
    }
    return {};
  }

  // 0 removes it.
  void set(const std::string& layer, const Path& path, int count) {
    std::erase_if(entries_,
                  [&](const auto& entry) { return FieldReader(entry, file_.string()).text("id") == layer; });
    if (count > 0) entries_.push_back({{"id", layer}, {"path", path.string()}, {"count", count}});
    lock_.mark_written();
    write_json_array(file_, entries_, false);
  }

 private:
  Path file_;
  StoreLock lock_;
  std::vector<spec::Json> entries_;
};

}  // namespace

Path Store::Impl::mount(const Context& context, const MountRequest& request) {
  require_writable();
  // Another program that shuts the driver down must not unmount its directory meanwhile.
  const StoreLock storage(context, layout.graph_root / "storage.lock", LockMode::exclusive);
  const StoreLock layers = records->lock_layers(context);
  MountCounts counts(context, layout);
  const Path path = driver->mount_path(request.layer, request.read_only);
  const MountState state = counts.of(request.layer);
  // After a restart of the machine, or in another mount namespace, it may be counted but not there.
  if (state.count == 0 || !driver->is_mounted(path)) driver->mount(context, request);
  counts.set(request.layer, path, state.count + 1);
  return path;
}

bool Store::Impl::unmount(const Context& context, const std::string& layer, bool force) {
  require_writable();
  const StoreLock layers = records->lock_layers(context);
  MountCounts counts(context, layout);
  const MountState state = counts.of(layer);
  if (state.count == 0 && !force) throw Error(Kind::invalid_input, "layer " + layer + " is not mounted");
  if (state.count > 1 && !force) {
    counts.set(layer, state.path, state.count - 1);
    return false;
  }
  const Path path = state.path.empty() ? driver->mount_path(layer, false) : state.path;
  driver->unmount(layer, path);
  if (state.count > 0) counts.set(layer, path, 0);
  return true;
}

void Store::Impl::forget_mounts(const Context& context, const std::string& layer) {
  MountCounts counts(context, layout);
  if (counts.of(layer).count > 0) counts.set(layer, {}, 0);
}

Store::MountState Store::Impl::mount_state(const Context& context, const std::string& layer) const {
  if (!std::filesystem::exists(layout.run_layers() / "mountpoints.json")) return {};
  return MountCounts(context, layout).of(layer);
}

Path Store::mount_layer(const Context& context, const std::string& id) {
  const auto layer = impl_->find_layer(context, id);
  if (!layer) throw Error(Kind::not_found, "layer " + id + " is not in the store");
  MountRequest request;
  request.layer = layer->record.id;
  request.read_only = true;
  request.mount_label = layer->record.mount_label;
  return impl_->mount(context, request);
}

bool Store::unmount_layer(const Context& context, const std::string& id, bool force) {
  const auto layer = impl_->find_layer(context, id);
  if (!layer) throw Error(Kind::not_found, "layer " + id + " is not in the store");
  return impl_->unmount(context, layer->record.id, force);
}

Store::MountState Store::mount_state(const Context& context, const std::string& layer) const {
  return impl_->mount_state(context, layer);
}

}  // namespace lade::store

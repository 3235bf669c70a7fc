#include "archive/tar_split.hpp"
#include "io/readers.hpp"
#include "layer/apply.hpp"
#include "os/file.hpp"
#include "os/root.hpp"
#include "store/store_impl.hpp"
#include "store/unpacking.hpp"

namespace lade::store {

namespace {

os::FileWriter new_file(const Path& path) {
  return os::FileWriter(os::open_file(path, O_WRONLY | O_CREAT | O_EXCL, 0600));
}

void make_content_directory(const Path& path) {
  if (::mkdir(path.c_str(), 0700) != 0) throw Error::from_errno(errno, "mkdir " + path.string());
}

layer::ApplyOptions apply_options(const Store::Impl& store) {
  layer::ApplyOptions options;
  options.whiteouts = store.driver->format().whiteouts;
  options.opaque_xattr = store.driver->format().opaque_xattr;
  options.rootless = store.options.rootless;
  options.ignore_chown_errors = store.driver_options.ignore_chown_errors;
  return options;
}

layer::AppliedLayer apply_into(const Context& context, const Store::Impl& store, io::Reader& tar,
                               const Path& content, const Path& tar_split,
                               layer::FileClones* clones = nullptr) {
  auto options = apply_options(store);
  options.clones = clones;
  auto split = new_file(tar_split);
  options.tar_split = &split;
  return layer::apply(context, tar, os::open_file(content, O_RDONLY | O_DIRECTORY), options);
}

std::vector<std::shared_ptr<const os::Root>> roots_of(const std::vector<Path>& directories) {
  std::vector<std::shared_ptr<const os::Root>> result;
  for (const auto& directory : directories) result.push_back(std::make_shared<const os::Root>(directory));
  return result;
}

std::unique_ptr<io::Reader> read_by_tar_split(const Path& tar_split, const std::vector<Path>& directories) {
  return std::make_unique<archive::TarSplitReader>(std::make_unique<os::FileReader>(tar_split),
                                                   archive::open_in_roots(roots_of(directories)));
}

layer::DiffOptions changes_of(const LayerRecord& layer, layer::DiffOptions options) {
  options.ids = layer.ids;
  return options;
}

}  // namespace

std::optional<ImageLayer::Blob> blob_of(const LayerRecord& layer) {
  const auto compression = compression_of(layer);
  if (!layer.compressed_digest || !compression || layer.compressed_size <= 0) return std::nullopt;
  return ImageLayer::Blob{*layer.compressed_digest, static_cast<std::uint64_t>(layer.compressed_size),
                          *compression};
}

std::shared_ptr<PendingLayer> Store::Impl::unpack(const Context& context, io::Reader& tar,
                                                  layer::FileClones* clones) const {
  require_writable();
  TempDirectory files(context, driver->temp_parent(true));
  TempDirectory metadata(context, layout.layers() / "tmp");
  if (!driver->format().stands_alone) {
    const Path kept = files.next_name();
    auto writer = new_file(kept);
    io::DigestingReader digesting(tar);
    const auto size = io::copy(digesting, writer);
    return std::make_shared<PendingLayer>(
        PendingLayer{digesting.finish(), size, {}, {}, std::move(files), std::move(metadata), {}, kept, {}});
  }
  const Path content = files.next_name(), tar_split = metadata.next_name();
  make_content_directory(content);
  auto applied = apply_into(context, *this, tar, content, tar_split, clones);
  return std::make_shared<PendingLayer>(PendingLayer{applied.diff_id,
                                                     applied.size,
                                                     std::move(applied.uids),
                                                     std::move(applied.gids),
                                                     std::move(files),
                                                     std::move(metadata),
                                                     content,
                                                     {},
                                                     tar_split});
}

void unpack_on_parent(const Context& context, const Store::Impl& store, PendingLayer& pending,
                      const Path& parent_files) {
  if (!pending.content.empty()) return;
  const Path content = pending.files.next_name(), tar_split = pending.metadata.next_name();
  store.driver->copy_parent(context, parent_files, content);
  os::FileReader tar(pending.tar);
  auto applied = apply_into(context, store, tar, content, tar_split);
  pending.uids = std::move(applied.uids);
  pending.gids = std::move(applied.gids);
  pending.content = content;
  pending.tar_split = tar_split;
}

std::unique_ptr<io::Reader> open_pending(const PendingLayer& pending) {
  if (!pending.tar.empty()) return std::make_unique<os::FileReader>(pending.tar);
  return read_by_tar_split(pending.tar_split, {pending.content});
}

std::unique_ptr<io::Reader> Store::Impl::open_diff(const Context& context, const std::string& layer) const {
  const auto found = find_layer(context, layer);
  if (!found) throw Error(Kind::not_found, "layer " + layer + " is not in the store");
  const Path tar_split = found->store->layout().tar_split(found->record.id);
  if (!std::filesystem::exists(tar_split))
    return driver->diff(context, found->record.id, found->record.parent, changes_of(found->record, {}));
  // Only a copy for another user namespace has files in the layers below it.
  const bool is_mapped = !found->record.ids.uids.empty() || !found->record.ids.gids.empty();
  if (is_mapped) return read_by_tar_split(tar_split, driver->content_directories(found->record.id));
  return read_by_tar_split(tar_split, {driver->own_directory(found->record.id)});
}

std::unique_ptr<io::Reader> Store::open_changes(const Context& context, const std::string& container,
                                                layer::DiffOptions options) const {
  const auto found = find_container(context, container);
  if (!found) throw Error(Kind::not_found, "container " + container + " is not in the store");
  const auto own = impl_->find_layer(context, found->layer);
  if (!own) throw Error(Kind::not_found, "layer " + found->layer + " is not in the store");
  return impl_->driver->diff(context, own->record.id, own->record.parent,
                             changes_of(own->record, std::move(options)));
}

std::unique_ptr<io::Reader> Store::open_diff(const Context& context, const std::string& layer) const {
  return impl_->open_diff(context, layer);
}

bool Store::has_tar_split(const std::string& layer) const {
  for (const RecordStore* store : impl_->all())
    if (std::filesystem::exists(store->layout().tar_split(layer))) return true;
  return false;
}

std::shared_ptr<PendingLayer> Store::unpack(const Context& context, io::Reader& tar,
                                            layer::FileClones* clones) {
  return impl_->unpack(context, tar, clones);
}

std::optional<Path> Store::unpacking_directory() const {
  if (!impl_->driver->format().stands_alone) return std::nullopt;
  return impl_->driver->temp_parent(true);
}

void Store::delete_layer(const Context& context, const std::string& id) {
  impl_->require_writable();
  LayerChanges layers(*impl_, context);
  if (layers.table().find(id) == nullptr)
    throw Error(Kind::not_found, "layer " + id + " is not in the store");
  auto images = impl_->records->write_images(context);
  auto containers = impl_->records->write_containers(context);
  const auto unneeded = layers.unneeded(id, images.table(), containers.table());
  if (unneeded.empty())
    throw Error(Kind::invalid_input, "layer " + id + " is in use by a layer, image or container");
  layers.remove({id});
}

Place Store::Impl::place_of_layer(bool is_image, bool is_volatile) const {
  if (is_image) return layout.has_image_store() ? Place::image_store : Place::stable;
  return is_volatile || layout.transient ? Place::volatile_file : Place::stable;
}

}  // namespace lade::store

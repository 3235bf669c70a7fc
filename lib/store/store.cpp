#include "store/store.hpp"

#include <algorithm>
#include <array>
#include <set>

#include "os/file.hpp"
#include "store/store_impl.hpp"
#include "store/temp_directory.hpp"

namespace lade::store {

namespace {

namespace fs = std::filesystem;

// Of drivers that containers/storage has or had.
constexpr std::array known_drivers = {"overlay", "vfs", "btrfs", "zfs", "aufs", "devicemapper"};

std::vector<std::string> drivers_in(const Path& graph_root) {
  std::vector<std::string> result;
  std::error_code ignored;
  for (const char* name : known_drivers)
    if (fs::is_directory(graph_root / name, ignored)) result.emplace_back(name);
  return result;
}

// What was configured, else what is there, else what is preferred; "" if nothing says.
std::string find_driver(const config::StoreOptions& options) {
  if (!options.driver.empty()) return options.driver;
  const auto found = drivers_in(options.graph_root);
  if (found.size() > 1) {
    std::string names;
    for (const auto& name : found) names.append(names.empty() ? "" : ", ").append(name);
    throw Error(Kind::invalid_input, options.graph_root.string() + " contains several valid graphdrivers: " +
                                         names + "; please cleanup or explicitly choose storage driver");
  }
  if (!found.empty()) return found.front();
  return options.driver_priority.empty() ? "" : options.driver_priority.front();
}

// Of a new store, the first that works.
std::string choose_driver(const Context& context, const config::StoreOptions& options, Store::Access access) {
  if (auto name = find_driver(options); !name.empty()) {
    // A second one beside it would make all tools fail that are not told which.
    const auto found = drivers_in(options.graph_root);
    if (access == Store::Access::read_write && !found.empty() &&
        std::ranges::find(found, name) == found.end())
      throw Error(Kind::invalid_input, options.graph_root.string() + " is a store of the driver " +
                                           found.front() + ", not of " + name);
    return name;
  }
  const bool overlay = access == Store::Access::read_only ||
                       !options.for_driver("overlay").mount_program.empty() ||
                       supports_native_overlay(context, options.graph_root, options.rootless);
  return overlay ? "overlay" : "vfs";
}

std::unique_ptr<Driver> make_driver(const Context& context, DriverPlace place) {
  if (place.layout.driver == "overlay") return make_overlay_driver(context, std::move(place));
  if (place.layout.driver == "vfs") return make_vfs_driver(std::move(place));
  throw Error(Kind::unsupported, "the storage driver \"" + place.layout.driver + "\" is not supported");
}

void create_directories(const Layout& layout) {
  for (const auto& path :
       {layout.graph_root, layout.run_root, layout.image_root, layout.layers(), layout.images(),
        layout.containers(), layout.run_layers(), layout.run_containers(), layout.image_store_layers()})
    os::mkdir_all(path, 0700);
}

// Without those that are the store itself: its locks would be taken twice.
std::vector<Path> additional_roots(const Layout& layout, const std::vector<Path>& roots) {
  std::vector<Path> result;
  for (const auto& root : roots) {
    std::error_code ignored;
    if (!fs::is_directory(root, ignored))
      throw Error(Kind::not_found,
                  layout.driver + ": additional image store " + root.string() + " does not exist");
    if (!fs::equivalent(root, layout.graph_root, ignored) &&
        !fs::equivalent(root, layout.image_root, ignored))
      result.push_back(root);
  }
  return result;
}

std::vector<std::unique_ptr<RecordStore>> open_additional(const std::vector<Path>& roots,
                                                          const std::string& driver) {
  std::vector<std::unique_ptr<RecordStore>> result;
  for (const auto& root : roots) {
    Layout layout{root, root, root, driver, false};
    result.push_back(std::make_unique<RecordStore>(std::move(layout), RecordStore::Access::read_only));
  }
  return result;
}

// What crashed programs left: parts of layers, and trees that nobody uses.
void remove_remains(const Context& context, Store::Impl& store) {
  remove_stale_temp_directories(store.layout.layers() / "tmp");
  remove_stale_temp_directories(store.driver->temp_parent(false));
  if (store.layout.has_image_store()) remove_stale_temp_directories(store.driver->temp_parent(true));
  const auto layers = store.records->layers(context);
  const bool any =
      std::ranges::any_of(layers->entries(), [](const auto& entry) { return is_hidden(entry.record); });
  if (any) LayerChanges(store, context);
}

template <class Record>
void append_visible(const RecordTable<Record>& table, std::set<std::string>& seen,
                    std::vector<Record>& result) {
  for (const auto& entry : table.entries())
    if (!is_hidden(entry.record) && seen.insert(entry.record.id).second) result.push_back(entry.record);
}

}  // namespace

std::string driver_name(const config::StoreOptions& options) {
  const auto name = find_driver(options);
  return name.empty() ? "overlay" : name;
}

Store::Store(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Store::~Store() = default;

std::shared_ptr<Store> Store::open(const Context& context, const config::StoreOptions& options,
                                   Access access) {
  for (const auto& file : options.files) context.log.debug("storage configuration: read " + file);
  for (const auto& warning : options.warnings) context.log.warning(warning);
  if (access == Access::read_write) {
    os::mkdir_all(options.graph_root, 0700);
    os::mkdir_all(options.run_root, 0700);
  } else if (!fs::is_directory(options.graph_root)) {
    throw Error(Kind::not_found, "there is no store in " + options.graph_root.string());
  }

  auto impl = std::make_unique<Impl>();
  impl->options = options;
  impl->access = access;
  // While directories are made, and the format of the driver's is chosen.
  std::optional<StoreLock> lock;
  if (access == Access::read_write)
    lock.emplace(context, options.graph_root / "storage.lock", LockMode::exclusive);
  const std::string driver = choose_driver(context, options, access);
  impl->driver_options = options.for_driver(driver);
  impl->layout = {options.graph_root, options.run_root,
                  options.image_store.empty() ? options.graph_root : options.image_store, driver,
                  options.transient_store};
  if (access == Access::read_write) create_directories(impl->layout);
  const auto roots = additional_roots(impl->layout, impl->driver_options.additional_image_stores);
  impl->driver = make_driver(context, {impl->layout, impl->driver_options, roots, options.rootless,
                                       options.disable_volatile, access == Access::read_only});
  impl->records = std::make_unique<RecordStore>(impl->layout, access == Access::read_only
                                                                  ? RecordStore::Access::read_only
                                                                  : RecordStore::Access::read_write);
  impl->additional = open_additional(roots, driver);
  lock.reset();
  context.log.debug("using the store " + impl->layout.graph_root.string() + " with the driver " + driver);
  if (access == Access::read_write) remove_remains(context, *impl);
  return std::shared_ptr<Store>(new Store(std::move(impl)));
}

const Layout& Store::layout() const {
  return impl_->layout;
}

const config::StoreOptions& Store::options() const {
  return impl_->options;
}

std::string Store::specification() const {
  std::string options;
  for (const auto& option : impl_->options.driver_options)
    options.append(options.empty() ? ":" : ",").append(option);
  return "[" + impl_->layout.driver + "@" + impl_->layout.graph_root.string() + "+" +
         impl_->layout.run_root.string() + options + "]";
}

std::vector<const RecordStore*> Store::Impl::all() const {
  std::vector<const RecordStore*> result{records.get()};
  for (const auto& store : additional) result.push_back(store.get());
  return result;
}

void Store::Impl::require_writable() const {
  if (access == Access::read_only) throw Error(Kind::unsupported, "the store was opened to be read only");
}

std::optional<Store::Impl::FoundLayer> Store::Impl::find_layer(const Context& context,
                                                               std::string_view name) const {
  for (const RecordStore* store : all())
    if (const LayerRecord* layer = store->layers(context)->look_up(name)) return FoundLayer{*layer, store};
  return std::nullopt;
}

std::optional<Store::Impl::FoundImage> Store::Impl::find_image(const Context& context,
                                                               std::string_view name) const {
  for (const RecordStore* store : all())
    if (const ImageRecord* image = store->images(context)->look_up(name)) return FoundImage{*image, store};
  return std::nullopt;
}

std::vector<LayerRecord> Store::layers(const Context& context) const {
  std::vector<LayerRecord> result;
  std::set<std::string> seen;
  for (const RecordStore* store : impl_->all()) append_visible(*store->layers(context), seen, result);
  return result;
}

std::vector<ImageRecord> Store::images(const Context& context) const {
  std::vector<ImageRecord> result;
  std::set<std::string> seen;
  for (const RecordStore* store : impl_->all()) append_visible(*store->images(context), seen, result);
  return result;
}

std::vector<ContainerRecord> Store::containers(const Context& context) const {
  std::vector<ContainerRecord> result;
  std::set<std::string> seen;
  append_visible(*impl_->records->containers(context), seen, result);
  return result;
}

std::optional<LayerRecord> Store::find_layer(const Context& context, std::string_view name) const {
  auto found = impl_->find_layer(context, name);
  return found ? std::optional(std::move(found->record)) : std::nullopt;
}

std::optional<ImageRecord> Store::find_image(const Context& context, std::string_view name) const {
  auto found = impl_->find_image(context, name);
  return found ? std::optional(std::move(found->record)) : std::nullopt;
}

std::optional<ContainerRecord> Store::find_container(const Context& context, std::string_view name) const {
  const auto table = impl_->records->containers(context);
  const ContainerRecord* found = table->look_up(name);
  return found ? std::optional(*found) : std::nullopt;
}

bool Store::is_read_only(const Context& context, const ImageRecord& image) const {
  return impl_->records->images(context)->find(image.id) == nullptr;
}

std::vector<LayerRecord> Store::layers_with_digest(const Context& context, const spec::Digest& digest) const {
  std::vector<LayerRecord> result;
  for (auto& layer : layers(context))
    if (layer.diff_digest == digest || layer.compressed_digest == digest) result.push_back(std::move(layer));
  return result;
}

std::vector<LayerRecord> Store::layers_with_toc(const Context& context, const spec::Digest& digest) const {
  std::vector<LayerRecord> result;
  for (auto& layer : layers(context))
    if (layer.toc_digest == digest) result.push_back(std::move(layer));
  return result;
}

std::vector<ImageRecord> Store::images_with_digest(const Context& context, const spec::Digest& digest) const {
  std::vector<ImageRecord> result;
  for (auto& image : images(context)) {
    const auto digests = image.digests();
    if (std::ranges::find(digests, digest) != digests.end()) result.push_back(std::move(image));
  }
  return result;
}

std::vector<LayerRecord> Store::chain(const Context& context, std::string_view top) const {
  std::vector<std::shared_ptr<const LayerTable>> tables;
  for (const RecordStore* store : impl_->all()) tables.push_back(store->layers(context));
  std::vector<LayerRecord> result;
  std::set<std::string> seen;
  for (std::string id(top); !id.empty(); id = result.back().parent) {
    const LayerRecord* layer = nullptr;
    for (const auto& table : tables)
      if (layer == nullptr) layer = table->find(id);
    if (layer == nullptr || !seen.insert(id).second)
      throw Error(Kind::invalid_input,
                  "layer " + id + (layer ? " is its own parent" : " is not in the store"));
    result.push_back(*layer);
  }
  std::ranges::reverse(result);
  return result;
}

}  // namespace lade::store

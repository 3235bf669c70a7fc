// What the parts of Store share. Internal to store/.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "store/driver.hpp"
#include "store/record_store.hpp"
#include "store/store.hpp"

namespace lade::store {

class LayerChanges;

class Store::Impl {
 public:
  config::StoreOptions options;
  config::DriverOptions driver_options;
  Layout layout;
  Access access = Access::read_write;
  std::unique_ptr<Driver> driver;
  std::unique_ptr<RecordStore> records;
  std::vector<std::unique_ptr<RecordStore>> additional;

  // The store's own, then the additional ones.
  std::vector<const RecordStore*> all() const;
  void require_writable() const;

  struct FoundLayer {
    LayerRecord record;
    const RecordStore* store;
  };
  std::optional<FoundLayer> find_layer(const Context& context, std::string_view name) const;
  bool has_layer(const Context& context, const LayerTable& own, const std::string& id) const;

  struct FoundImage {
    ImageRecord record;
    const RecordStore* store;
  };
  std::optional<FoundImage> find_image(const Context& context, std::string_view name) const;

  // Layers.
  std::shared_ptr<PendingLayer> unpack(const Context& context, io::Reader& tar,
                                       layer::FileClones* clones = nullptr) const;
  std::unique_ptr<io::Reader> open_diff(const Context& context, const std::string& layer) const;

  // Mounts. `layers.lock` is held.
  Path mount(const Context& context, const MountRequest& request);
  bool unmount(const Context& context, const std::string& layer, bool force);
  void forget_mounts(const Context& context, const std::string& layer);
  MountState mount_state(const Context& context, const std::string& layer) const;

  Place place_of_layer(bool is_image, bool is_volatile) const;
};

// layers.lock, held for writing; what was incomplete is removed at first. Trees that are taken out of the
// store are deleted after the lock was given up.
class LayerChanges {
 public:
  LayerChanges(Store::Impl& store, const Context& context);

  LayerTable& table() { return writing_->table(); }

  struct Addition {
    LayerRecord record;
    Place place = Place::stable;
    Path content;    // "" for none yet
    Path tar_split;  // "" for none
    std::vector<BigDataItem> big_data{};
  };
  // All of them, or none: parents first.
  void add(const std::vector<Addition>& additions);
  // Children first.
  void remove(const std::vector<std::string>& ids);
  // Layers from `top` down that no image, container or other layer needs.
  std::vector<std::string> unneeded(const std::string& top, const ImageTable& images,
                                    const ContainerTable& containers);
  void save() { writing_->save(); }

 private:
  void recover();
  void take_back(const std::vector<Addition>& additions) noexcept;
  void take_files(const std::string& id, Place place);
  TempDirectory& trash(Place place);

  Store::Impl& store_;
  const Context& context_;
  std::optional<TempDirectory> trash_, image_trash_;
  std::optional<Writing<LayerRecord>> writing_;  // released before the trash
};

// Kind::invalid_input for an ID or a name that would make the store unreadable for others.
void check_image(const NewImage& image);
// The image's record on the layer `top`, which is there and whose lock is held.
ImageRecord write_image_record(const Context& context, const Store::Impl& store, const NewImage& image,
                               const std::string& top);

// What a layer's table of contents is kept as.
std::vector<BigDataItem> toc_items(const ImageLayer::Toc& toc);

// Big data: files in `directory`, named by big_data_file_name.
void write_big_data(const Path& directory, const BigDataItem& item, BigData& facts);
// nullopt if the file is not of the recorded size.
std::optional<std::string> read_big_data(const Path& directory, const std::string& key, const BigData& facts);

}  // namespace lade::store

// The local store of containers/storage: the one that podman, buildah, skopeo and CRI-O use, at the same
// time.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/context.hpp"
#include "config/storage_conf.hpp"
#include "io/codec/codec.hpp"
#include "io/stream.hpp"
#include "layer/diff.hpp"
#include "spec/digest.hpp"
#include "store/layout.hpp"
#include "store/pending_layer.hpp"
#include "store/records.hpp"

namespace lade::store {

// A layer of an image that is to be stored. Either it was unpacked (`pending`), or the store has a layer of
// this content, maybe on another parent.
struct ImageLayer {
  spec::Digest diff_id;
  std::shared_ptr<PendingLayer> pending;
  // The blob as it came in, if that is known; it lets later pulls find the layer by it.
  struct Blob {
    spec::Digest digest;
    std::uint64_t size = 0;
    io::Compression compression = io::Compression::none;
  };
  std::optional<Blob> blob;
  // Of a layer that was put together by a table of contents (zstd:chunked), which lets later pulls find the
  // layer and its files: the digest of the table as it came, and its JSON. The blob was never seen then.
  struct Toc {
    spec::Digest digest;
    std::string json;
  };
  std::optional<Toc> toc{};
};

struct BigDataItem {
  std::string key, bytes;
  // Recorded for it; of manifests the manifest's, which of signed schema 1 ones is not that of the bytes.
  std::optional<spec::Digest> digest;
};

struct NewImage {
  std::string id;                  // 64 hex digits
  std::vector<std::string> names;  // full references; taken from the images that have them
  std::vector<ImageLayer> layers;  // root first
  std::vector<BigDataItem> big_data;
  std::string metadata = "{}";
  std::string created;                   // RFC 3339; "": now
  std::optional<spec::Digest> manifest;  // the digest that the image is known by first
};

struct NewContainer {
  std::vector<std::string> names;
  std::string image;   // ID; "" for none
  std::string parent;  // the layer below its own; "": the image's top layer
  std::string metadata;
  std::vector<std::string> layer_names;
  bool is_volatile = false;
  // Its records are in files of their own if it is volatile; tools of before 2023 do not know these.
  bool in_volatile_files = true;
  std::string mount_label, process_label;
  std::vector<std::string> mount_options;
  // Its files belong to the IDs that these maps give: they are on disk as the machine sees them.
  layer::IdMaps ids = {};
};

// The driver that a store has, or would get: what is configured, else what is there, else overlay.
// Kind::invalid_input if there are several.
std::string driver_name(const config::StoreOptions& options);

// Everything by value: a snapshot of what the records said at the time of the call. Thread-safe.
//
// Locks of the store are held for milliseconds, and never while content is unpacked, copied or removed.
// Whatever happens to this process, every tool can open the store afterwards, and what was there before still
// is.
// What a record says of the blob that its layer came as; nullopt if that is not known.
std::optional<ImageLayer::Blob> blob_of(const LayerRecord& layer);

class Store {
 public:
  enum class Access { read_write, read_only };

  // Creates the directories for Access::read_write, and removes what crashed programs left behind.
  // Kind::not_found for a read-only store that is not there; Kind::invalid_input for malformed records and
  // for a graph root that holds several drivers' layers; Kind::unsupported for drivers and options that lade
  // lacks.
  static std::shared_ptr<Store> open(const Context& context, const config::StoreOptions& options,
                                     Access access = Access::read_write);
  ~Store();

  const Layout& layout() const;
  const config::StoreOptions& options() const;
  // "[overlay@/var/lib/containers/storage+/run/containers/storage:opt,opt]"
  std::string specification() const;

  // ---- reading; the store's own records first, then those of additional stores that it does not have
  // itself.

  std::vector<LayerRecord> layers(const Context& context) const;
  std::vector<ImageRecord> images(const Context& context) const;
  std::vector<ContainerRecord> containers(const Context& context) const;

  // By exact ID, exact name, unique beginning of an ID.
  std::optional<LayerRecord> find_layer(const Context& context, std::string_view name) const;
  std::optional<ImageRecord> find_image(const Context& context, std::string_view name) const;
  std::optional<ContainerRecord> find_container(const Context& context, std::string_view name) const;
  // Not those that are in additional stores only.
  bool is_read_only(const Context& context, const ImageRecord& image) const;

  // With this uncompressed or, as it came in, compressed digest.
  std::vector<LayerRecord> layers_with_digest(const Context& context, const spec::Digest& digest) const;
  // Pulled by this table of contents.
  std::vector<LayerRecord> layers_with_toc(const Context& context, const spec::Digest& digest) const;
  // The table of contents of a layer, by the names in which its files are in layer_files(); nullopt if it has
  // none, or one by which its files are not to be found.
  std::optional<std::string> layer_toc(const Context& context, const std::string& layer) const;
  // The directory that the tar of a layer was unpacked into.
  Path layer_files(const std::string& layer) const;
  // Any of whose manifests has this digest.
  std::vector<ImageRecord> images_with_digest(const Context& context, const spec::Digest& digest) const;
  // From the base layer to `top`; empty for "". Kind::invalid_input if a parent is missing.
  std::vector<LayerRecord> chain(const Context& context, std::string_view top) const;

  // Kind::not_found for an item the image or container does not have; Kind::integrity if its size is not the
  // recorded one.
  std::string image_big_data(const Context& context, const std::string& image, const std::string& key) const;
  std::string container_big_data(const Context& context, const std::string& container,
                                 const std::string& key) const;

  // The tar of a layer: byte for byte by its tar-split, where there is one; the reader checks nothing but the
  // contents of files: compare size and digest. Without (a container's layer), as its files are now.
  // `context` MUST outlive the reader.
  std::unique_ptr<io::Reader> open_diff(const Context& context, const std::string& layer) const;
  bool has_tar_split(const std::string& layer) const;
  // The tar of what a container has changed, as its files are now; `options` without ids and lowers.
  // `context` MUST outlive the reader.
  std::unique_ptr<io::Reader> open_changes(const Context& context, const std::string& container,
                                           layer::DiffOptions options) const;

  // ---- writing

  // Unpacks a layer beside the store's layers; nobody sees it before put_image. Reads `tar` (uncompressed) to
  // its end. `clones` are those of the tar's reader, made in unpacking_directory(). Several at once.
  std::shared_ptr<PendingLayer> unpack(const Context& context, io::Reader& tar,
                                       layer::FileClones* clones = nullptr);
  // Of the file system that unpack() writes to; nullopt for drivers whose layers are unpacked later.
  std::optional<Path> unpacking_directory() const;

  // Makes layers and image visible. A layer that is there by then is shared, and its pending copy dropped. An
  // image of the same ID gains names and big data; Kind::already_exists if its top layer is another one.
  // Kind::unavailable if a layer that was to be reused has been removed meanwhile.
  ImageRecord put_image(const Context& context, const NewImage& image);

  // Kind::image_not_found if there is no image `id`. Names are taken from the images that have them.
  void add_names(const Context& context, const std::string& id, const std::vector<std::string>& names);
  void remove_names(const Context& context, const std::string& id, const std::vector<std::string>& names);
  void set_image_big_data(const Context& context, const std::string& id, const BigDataItem& item);
  void set_image_metadata(const Context& context, const std::string& id, const std::string& metadata);

  // The record, its big data, and its layers as far as nothing else needs them. Kind::invalid_input
  // "... image is in use by container ..." if one does. IDs of the layers that were removed.
  std::vector<std::string> delete_image(const Context& context, const std::string& id);
  // Kind::invalid_input if a layer, an image or a container needs it.
  void delete_layer(const Context& context, const std::string& id);

  ContainerRecord create_container(const Context& context, const NewContainer& container);
  // Also its layer and directories. Kind::invalid_input if it is mounted somewhere and cannot be unmounted.
  void delete_container(const Context& context, const std::string& id);
  void set_container_big_data(const Context& context, const std::string& id, const BigDataItem& item);
  void set_container_metadata(const Context& context, const std::string& id, const std::string& metadata);
  void set_container_names(const Context& context, const std::string& id,
                           const std::vector<std::string>& names);
  // Directories for an engine's own files of a container: one that stays, one that is lost with the machine.
  Path container_directory(const std::string& id) const;
  Path container_run_directory(const std::string& id) const;

  // ---- mounting; counted over all programs, so that every mount needs one unmount.

  // The path of the mounted file system of a container, to be written to.
  Path mount_container(const Context& context, const std::string& id);
  // False if others still use it. `force`: whoever uses it.
  bool unmount_container(const Context& context, const std::string& id, bool force = false);
  // Of a layer, read-only.
  Path mount_layer(const Context& context, const std::string& id);
  bool unmount_layer(const Context& context, const std::string& id, bool force = false);
  // How often a layer is mounted, and where.
  struct MountState {
    Path path;
    int count = 0;
  };
  MountState mount_state(const Context& context, const std::string& layer) const;

  class Impl;    // store/store_impl.hpp, for the parts of Store
  class Repair;  // store/repair.cpp

 private:
  explicit Store(std::unique_ptr<Impl> impl);

  std::unique_ptr<Impl> impl_;
};

}  // namespace lade::store

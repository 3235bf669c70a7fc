// How the files of layers are kept on disk, by the storage drivers of containers/storage.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/context.hpp"
#include "config/storage_conf.hpp"
#include "layer/apply.hpp"
#include "layer/diff.hpp"
#include "store/layout.hpp"
#include "store/temp_directory.hpp"

namespace lade::store {

struct MountRequest {
  std::string layer;
  bool read_only = false;            // an image's layer; otherwise a container's, which is written to
  bool is_volatile = false;          // need not survive a crash of the machine
  std::string mount_label;           // SELinux context
  std::vector<std::string> options;  // in place of the configured mountopt, if there are any
  layer::IdMaps ids = {};            // of a container: those of the layers below are shown with
};

// What a driver makes of a layer's tar.
struct ContentFormat {
  layer::Whiteouts whiteouts = layer::Whiteouts::overlay;
  std::string opaque_xattr;
  // The content of a layer can be unpacked before its parent is there.
  bool stands_alone = true;
};

// Calls that change something are made with layers.lock held, except where it says otherwise. Thread-safe.
class Driver {
 public:
  virtual ~Driver() = default;

  virtual const ContentFormat& format() const = 0;

  // Where the content of a new layer is prepared: the same file system as its place.
  virtual Path temp_parent(bool is_image) const = 0;

  // Makes `target`, which is not there yet, the copy of a parent's files that a layer is unpacked into; ""
  // for no parent. Only for formats that do not stand alone. Needs no lock.
  virtual void copy_parent(const Context& context, const Path& parent_files, const Path& target) const = 0;

  // Makes the prepared directory `content` ("" for an empty one) the files of layer `id`. What a crash left
  // under this ID goes into `trash`.
  struct NewLayer {
    std::string id, parent;  // "" for no parent, which MUST be there otherwise
    bool is_image = true;
    Path content;
    layer::IdMaps ids = {};  // Kind::unsupported where they cannot be had
  };
  virtual void publish(const NewLayer& layer, TempDirectory& trash) = 0;

  // Moves the files into `trash`, which MUST be in temp_parent(). No error if there are none.
  virtual void discard(const std::string& id, bool is_image, TempDirectory& trash) = 0;

  virtual bool has(const std::string& id) const = 0;

  // The directory that the tar of a layer was unpacked into; it may hold less than all for a copy for another
  // user namespace. Needs no lock.
  virtual Path own_directory(const std::string& id) const = 0;

  // The directories that hold the files of a layer: first its own, then those it hides. Needs no lock.
  virtual std::vector<Path> content_directories(const std::string& id) const = 0;

  // The tar of a layer as its files are now, for layers without a tar-split; `options` without `lowers`.
  // `context` MUST outlive the reader. Needs no lock.
  virtual std::unique_ptr<io::Reader> diff(const Context& context, const std::string& id,
                                           const std::string& parent, layer::DiffOptions options) const = 0;

  // What mount() returns, whether or not it is mounted.
  virtual Path mount_path(const std::string& id, bool read_only) const = 0;
  virtual bool is_mounted(const Path& mount_path) const = 0;
  virtual void mount(const Context& context, const MountRequest& request) = 0;
  virtual void unmount(const std::string& id, const Path& mount_path) = 0;
};

struct DriverPlace {
  Layout layout;
  config::DriverOptions options;
  std::vector<Path> additional_roots;  // of additional image stores
  bool rootless = false;
  bool disable_volatile = false;
  bool read_only = false;  // nothing is created
};

// Kind::unsupported for what lade does not write: force_mask, composefs, quotas.
std::unique_ptr<Driver> make_overlay_driver(const Context& context, DriverPlace place);
std::unique_ptr<Driver> make_vfs_driver(DriverPlace place);

// True if this kernel lets us mount overlays in `directory`, with attributes that we may write.
bool supports_native_overlay(const Context& context, const Path& directory, bool rootless);

}  // namespace lade::store

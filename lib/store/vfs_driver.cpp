#include <sys/stat.h>

#include <cerrno>

#include "os/copy_tree.hpp"
#include "os/file.hpp"
#include "store/driver.hpp"

namespace lade::store {

namespace {

namespace fs = std::filesystem;

constexpr mode_t default_root_mode = 0555;

// Every layer is a directory with all files of its parents.
class VfsDriver final : public Driver {
 public:
  explicit VfsDriver(DriverPlace place) : place_(std::move(place)) {
    format_.whiteouts = layer::Whiteouts::remove;
    format_.stands_alone = false;
    if (place_.read_only) return;
    for (const bool is_image : {false, true}) os::mkdir_all(directory_of_layers(is_image), 0700);
  }

  const ContentFormat& format() const override { return format_; }
  Path temp_parent(bool is_image) const override { return home(is_image) / "tempdirs"; }

  void copy_parent(const Context& context, const Path& parent_files, const Path& target) const override {
    if (!parent_files.empty())
      return os::copy_tree(context, parent_files, target,
                           {place_.options.ignore_chown_errors, place_.rootless});
    if (::mkdir(target.c_str(), 0700) != 0 || ::chmod(target.c_str(), default_root_mode) != 0)
      throw Error::from_errno(errno, "mkdir " + target.string());
  }

  void publish(const NewLayer& layer, TempDirectory& trash) override {
    if (layer.content.empty() && layer.ids != layer::IdMaps{})
      throw Error(Kind::unsupported, "vfs: containers with ID maps need the driver overlay");
    discard(layer.id, layer.is_image, trash);
    Path content = layer.content;
    if (content.empty()) {
      content = trash.next_name();
      copy_parent(background(), layer.parent.empty() ? Path() : directory(layer.parent), content);
    }
    os::rename_file(content, directory_of_layers(layer.is_image) / layer.id);
  }

  void discard(const std::string& id, bool is_image, TempDirectory& trash) override {
    const Path path = directory_of_layers(is_image) / id;
    std::error_code ignored;
    if (fs::exists(fs::symlink_status(path, ignored))) os::rename_file(path, trash.next_name());
  }

  bool has(const std::string& id) const override { return find(id).has_value(); }

  Path own_directory(const std::string& id) const override { return directory(id); }

  std::vector<Path> content_directories(const std::string& id) const override { return {directory(id)}; }

  std::unique_ptr<io::Reader> diff(const Context& context, const std::string& id, const std::string& parent,
                                   layer::DiffOptions options) const override {
    Path lower = place_.layout.run_home() / "empty";
    if (parent.empty())
      os::mkdir_all(lower, 0700);
    else
      lower = directory(parent);
    return layer::diff_trees(context, os::open_file(lower, O_RDONLY | O_DIRECTORY),
                             os::open_file(directory(id), O_RDONLY | O_DIRECTORY), std::move(options));
  }

  Path mount_path(const std::string& id, bool) const override { return directory(id); }
  // Always there, without a mount.
  bool is_mounted(const Path&) const override { return true; }
  void mount(const Context&, const MountRequest& request) override { directory(request.layer); }
  void unmount(const std::string&, const Path&) override {}

 private:
  Path home(bool is_image) const { return is_image ? place_.layout.image_home() : place_.layout.home(); }
  Path directory_of_layers(bool is_image) const { return home(is_image) / "dir"; }

  std::optional<Path> find(const std::string& id) const {
    std::vector<Path> homes{place_.layout.home(), place_.layout.image_home()};
    for (const auto& root : place_.additional_roots) homes.push_back(root / "vfs");
    std::error_code ignored;
    for (const auto& path : homes)
      if (fs::is_directory(path / "dir" / id, ignored)) return path / "dir" / id;
    return std::nullopt;
  }

  Path directory(const std::string& id) const {
    auto found = find(id);
    if (!found) throw Error(Kind::not_found, "the files of layer " + id + " are not in the store");
    return *std::move(found);
  }

  DriverPlace place_;
  ContentFormat format_;
};

}  // namespace

std::unique_ptr<Driver> make_vfs_driver(DriverPlace place) {
  return std::make_unique<VfsDriver>(std::move(place));
}

}  // namespace lade::store

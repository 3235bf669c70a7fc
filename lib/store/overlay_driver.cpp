#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "os/atomic_file.hpp"
#include "os/child_process.hpp"
#include "os/file.hpp"
#include "os/mapped_namespace.hpp"
#include "os/mount.hpp"
#include "os/remove_tree.hpp"
#include "store/driver.hpp"
#include "store/ids.hpp"
#include "store/overlay_format.hpp"

namespace lade::store {

namespace {

namespace fs = std::filesystem;

constexpr const char* program_path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
constexpr mode_t default_diff_mode = 0555;

void make_directory(const Path& path, mode_t mode) {
  if (::mkdir(path.c_str(), mode) != 0 && errno != EEXIST)
    throw Error::from_errno(errno, "mkdir " + path.string());
}

void write_plain(const Path& path, std::string_view text) {
  const os::UniqueFd fd = os::open_file(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
  os::write_all(fd, io::as_bytes(text));
}

struct ::stat status_of(const Path& path) {
  struct ::stat status {};
  if (::lstat(path.c_str(), &status) != 0) throw Error::from_errno(errno, "stat " + path.string());
  return status;
}

std::vector<Path> homes_of(const DriverPlace& place) {
  std::vector<Path> result{place.layout.home()};
  if (place.layout.has_image_store()) result.push_back(place.layout.image_home());
  for (const auto& root : place.additional_roots) result.push_back(root / place.layout.driver);
  return result;
}

std::vector<os::IdMapping> mappings_of(const std::vector<layer::IdMap>& maps) {
  std::vector<os::IdMapping> result;
  for (const auto& map : maps) result.push_back({map.container_id, map.host_id, map.size});
  return result;
}

// Lower directories with other owners, for as long as the overlay is being mounted: it keeps its own hold.
class MappedLowers {
 public:
  // Replaces `lowers` by those below `directory`; without maps nothing is done.
  MappedLowers(Path directory, const layer::IdMaps& ids, std::vector<Path>& lowers)
      : directory_(std::move(directory)) {
    if (ids == layer::IdMaps{} || lowers.empty()) return;
    const os::MappedNamespace mapping(mappings_of(ids.uids), mappings_of(ids.gids));
    make_directory(directory_, 0700);
    try {
      for (auto& lower : lowers) {
        const Path target = directory_ / std::to_string(targets_.size());
        make_directory(target, 0700);
        targets_.push_back(target);
        os::bind_mapped(lower, target, mapping);
        lower = target;
      }
    } catch (...) {
      remove();
      throw;
    }
  }
  ~MappedLowers() { remove(); }
  MappedLowers(const MappedLowers&) = delete;
  MappedLowers& operator=(const MappedLowers&) = delete;

 private:
  void remove() noexcept {
    for (const auto& target : targets_) {
      ::umount2(target.c_str(), MNT_DETACH);
      ::rmdir(target.c_str());
    }
    if (!targets_.empty()) ::rmdir(directory_.c_str());
  }

  Path directory_;
  std::vector<Path> targets_;
};

class OverlayDriver final : public Driver {
 public:
  OverlayDriver(const Context& context, DriverPlace place)
      : place_(std::move(place)), homes_(homes_of(place_)) {
    refuse_unsupported();
    if (!place_.read_only) create_directories();
    choose_mount_program(context);
    format_.whiteouts = mount_program_.empty() ? layer::Whiteouts::overlay : layer::Whiteouts::files;
    format_.opaque_xattr = place_.rootless ? "user.overlay.opaque" : "trusted.overlay.opaque";
  }

  const ContentFormat& format() const override { return format_; }
  Path temp_parent(bool is_image) const override { return home(is_image) / "tempdirs"; }

  void copy_parent(const Context&, const Path&, const Path&) const override {
    throw Error(Kind::unsupported, "overlay: layers stand alone");
  }

  void publish(const NewLayer& layer, TempDirectory& trash) override {
    if (layer.ids != layer::IdMaps{} && !mount_program_.empty())
      throw Error(Kind::unsupported, "overlay: containers with ID maps need the kernel's own overlay");
    discard(layer.id, layer.is_image, trash);
    const Path prepared = trash.next_name();
    make_directory(prepared, 0700);
    const Path diff = prepared / "diff";
    if (layer.content.empty())
      make_directory(diff, 0700);
    else
      os::rename_file(layer.content, diff);
    take_root_attributes(diff, layer.parent, layer.ids);
    const std::string link = random_link_name();
    write_plain(prepared / "link", link);
    make_directory(prepared / "work", 0700);
    make_directory(prepared / "merged", 0700);
    if (layer.parent.empty()) {
      make_directory(prepared / "empty", 0700);
    } else {
      const auto chain = homes_.chain_above(layer.parent);
      write_plain(prepared / "lower", chain.lower);
      write_plain(prepared / "lower-layers", chain.lower_layers);
    }
    os::rename_file(prepared, home(layer.is_image) / layer.id);
    const Path link_path = home(layer.is_image) / "l" / link;
    if (::symlink(("../" + layer.id + "/diff").c_str(), link_path.c_str()) != 0)
      throw Error::from_errno(errno, "create " + link_path.string());
  }

  void discard(const std::string& id, bool is_image, TempDirectory& trash) override {
    const Path path = home(is_image) / id;
    std::error_code ignored;
    if (!fs::exists(fs::symlink_status(path, ignored))) return;
    if (os::is_mount_point(path / "merged")) os::unmount(path / "merged");
    const auto link = os::find_file(path / "link", 4096);
    // The link first: without the directory nobody would know its name.
    if (link && !link->empty() && link->find('/') == std::string::npos && *link != "." && *link != "..")
      os::remove_file(home(is_image) / "l" / *link);
    os::rename_file(path, trash.next_name());
  }

  bool has(const std::string& id) const override { return homes_.find(id).has_value(); }

  Path own_directory(const std::string& id) const override { return homes_.diffs(id).front(); }

  std::vector<Path> content_directories(const std::string& id) const override {
    auto result = homes_.diffs(id);
    for (const auto& lower : homes_.lower_ids(id))
      std::ranges::move(homes_.diffs(lower), std::back_inserter(result));
    return result;
  }

  std::unique_ptr<io::Reader> diff(const Context& context, const std::string& id, const std::string&,
                                   layer::DiffOptions options) const override {
    auto& lowers = options.lowers.emplace();
    for (const auto& lower : homes_.lower_ids(id))
      for (const auto& directory : homes_.diffs(lower))
        lowers.push_back(std::make_shared<const os::Root>(directory));
    const auto own = os::open_file(homes_.directory(id) / "diff", O_RDONLY | O_DIRECTORY);
    return layer::diff(context, own, std::move(options));
  }

  Path mount_path(const std::string& id, bool) const override {
    const Path own = place_.layout.home() / id, of_image = place_.layout.image_home() / id;
    std::error_code ignored;
    if (fs::exists(own, ignored)) return own / "merged";
    if (fs::exists(of_image, ignored)) return of_image / "merged";
    return place_.layout.run_home() / id / "merged";
  }

  bool is_mounted(const Path& mount_path) const override { return os::is_mount_point(mount_path); }

  void mount(const Context& context, const MountRequest& request) override {
    const Path target = mount_path(request.layer, request.read_only);
    if (!place_.options.skip_mount_home) os::bind_on_itself(target.parent_path().parent_path());
    os::mkdir_all(target, 0700);
    os::OverlayMount mount = mount_of(request);
    mount.target = target;
    const MappedLowers mapped(homes_.directory(request.layer) / "mapped", request.ids, mount.lowers);
    if (mount_program_.empty())
      os::mount_overlay(mount);
    else
      mount_by_program(context, mount);
  }

  void unmount(const std::string&, const Path& mount_path) override {
    os::unmount(mount_path);
    // A fresh directory: the old one may still be somebody's mount point in another namespace.
    const Path fresh = mount_path.string() + ".1";
    make_directory(fresh, 0700);
    if (::rename(fresh.c_str(), mount_path.c_str()) != 0) ::rmdir(fresh.c_str());
  }

 private:
  Path home(bool is_image) const { return is_image ? place_.layout.image_home() : place_.layout.home(); }

  void refuse_unsupported() const {
    const auto& options = place_.options;
    const auto refuse = [](bool is_set, const char* name) {
      if (is_set)
        throw Error(Kind::unsupported, std::string("overlay: the option ") + name + " is not supported");
    };
    if (place_.read_only) return;
    refuse(!options.force_mask.empty(), "force_mask");
    refuse(options.use_composefs, "use_composefs");
    refuse(!options.size.empty(), "size");
    refuse(!options.inodes.empty(), "inodes");
  }

  void create_directories() const {
    for (const auto& path : {place_.layout.home(), place_.layout.image_home()}) {
      os::mkdir_all(path, 0700);
      os::mkdir_all(path / "l", 0755);
    }
    os::mkdir_all(place_.layout.run_home(), 0700);
  }

  // A store that was written with a mount program, or holds what only one understands, is never mounted
  // natively.
  void choose_mount_program(const Context& context) {
    const Path flag = place_.layout.home() / ".has-mount-program";
    const auto text = os::find_file(flag, 4096).value_or("");
    mount_program_ = place_.options.mount_program;
    if (mount_program_.empty() && text != "false" && !place_.read_only) {
      const bool needed = text == "true" || needs_mount_program(place_.layout.home()) ||
                          !supports_native_overlay(context, place_.layout.home(), place_.rootless);
      if (needed) mount_program_ = find_fuse_overlayfs();
    }
    const std::string wanted = mount_program_.empty() ? "false" : "true";
    if (!place_.read_only && text != wanted) os::write_file(flag, wanted, {.mode = 0600, .sync = false});
  }

  static std::string find_fuse_overlayfs() {
    auto found = os::find_program("fuse-overlayfs", program_path);
    if (!found)
      throw Error(
          Kind::unsupported,
          "overlay: this kernel or this store needs a mount_program, and fuse-overlayfs is not installed");
    return *std::move(found);
  }

  // The root directory of a layer looks like its parent's; entries for it in the tar do not count.
  void take_root_attributes(const Path& diff, const std::string& parent, const layer::IdMaps& ids) const {
    mode_t mode = default_diff_mode;
    const auto own = status_of(diff);
    uid_t uid = own.st_uid;
    gid_t gid = own.st_gid;
    if (!parent.empty()) {
      const auto status = status_of(homes_.directory(parent) / "diff");
      mode = status.st_mode & 0777;
      uid = status.st_uid;
      gid = status.st_gid;
    }
    uid = layer::to_host_id(ids.uids, uid).value_or(uid);
    gid = layer::to_host_id(ids.gids, gid).value_or(gid);
    const bool same_owner = own.st_uid == uid && own.st_gid == gid;
    if (!same_owner && ::lchown(diff.c_str(), uid, gid) != 0 && !place_.options.ignore_chown_errors)
      throw Error::from_errno(errno, "chown " + diff.string());
    if (::chmod(diff.c_str(), mode) != 0) throw Error::from_errno(errno, "chmod " + diff.string());
  }

  os::OverlayMount mount_of(const MountRequest& request) const {
    os::OverlayMount mount;
    const Path directory = homes_.directory(request.layer);
    for (const auto& lower : homes_.lower_ids(request.layer))
      std::ranges::move(homes_.diffs(lower), std::back_inserter(mount.lowers));
    auto own = homes_.diffs(request.layer);
    if (request.read_only) {
      mount.lowers.insert(mount.lowers.begin(), own.begin(), own.end());
    } else {
      mount.lowers.insert(mount.lowers.begin(), own.begin() + 1, own.end());
      mount.upper = own.front();
      mount.work = directory / "work";
    }
    const std::size_t least = request.read_only ? 2 : 1;
    while (mount.lowers.size() < least) mount.lowers.push_back(empty_directory(directory));
    mount.options = options_of(request, mount);
    return mount;
  }

  // Of a base layer; older programs do not make one.
  Path empty_directory(const Path& layer) const {
    if (std::error_code ignored; fs::is_directory(layer / "empty", ignored)) return layer / "empty";
    const Path path = place_.layout.run_home() / "empty";
    os::mkdir_all(path, 0700);
    return path;
  }

  std::string options_of(const MountRequest& request, const os::OverlayMount& mount) const {
    std::string result;
    const auto add = [&](std::string_view option) {
      if (!option.empty()) result.append(result.empty() ? "" : ",").append(option);
    };
    if (request.options.empty()) add(place_.options.mountopt);
    for (const auto& option : request.options) add(option);
    if (request.read_only) add("ro");
    if (request.is_volatile && !place_.disable_volatile && !mount.upper.empty() && mount_program_.empty()) {
      // overlayfs refuses to mount again after a volatile mount, unless this is gone.
      os::remove_tree(mount.work / "work/incompat/volatile");
      add("volatile");
    }
    if (place_.rootless && mount_program_.empty()) add("userxattr");
    if (!request.mount_label.empty()) add("context=\"" + request.mount_label + "\"");
    return result;
  }

  void mount_by_program(const Context& context, const os::OverlayMount& mount) const {
    std::string options = "lowerdir=";
    for (const auto& lower : mount.lowers)
      options.append(options.ends_with('=') ? "" : ":").append(lower.string());
    if (!mount.upper.empty())
      options.append(",upperdir=")
          .append(mount.upper.string())
          .append(",workdir=")
          .append(mount.work.string());
    if (!mount.options.empty()) options.append(",").append(mount.options);
    const auto result =
        os::run_child(context, {.arguments = {mount_program_, "-o", options, mount.target.string()}});
    if (result.status != 0)
      throw Error(Kind::system,
                  mount_program_ + ": exit status " + std::to_string(result.status) + ": " + result.err);
  }

  DriverPlace place_;
  OverlayHomes homes_;
  std::string mount_program_;  // "" for the kernel's own overlay
  ContentFormat format_;
};

}  // namespace

std::unique_ptr<Driver> make_overlay_driver(const Context& context, DriverPlace place) {
  return std::make_unique<OverlayDriver>(context, std::move(place));
}

bool supports_native_overlay(const Context& context, const Path& directory, bool rootless) {
  try {
    const TempDirectory temporary(context, directory / "tempdirs");
    os::OverlayMount mount;
    for (const char* name : {"lower1", "lower2", "upper", "work", "merged"})
      make_directory(temporary.path() / name, 0700);
    mount.lowers = {temporary.path() / "lower1", temporary.path() / "lower2"};
    mount.upper = temporary.path() / "upper";
    mount.work = temporary.path() / "work";
    mount.target = temporary.path() / "merged";
    if (rootless) mount.options = "userxattr";
    os::mount_overlay(mount);
    os::unmount(mount.target);
    return true;
  } catch (const Error&) {
    return false;
  }
}

}  // namespace lade::store

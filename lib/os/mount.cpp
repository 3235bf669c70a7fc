#include "os/mount.hpp"

#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <exception>
#include <thread>

#include "base/error.hpp"

namespace lade::os {

namespace {

struct MountFlag {
  std::string_view name;
  unsigned long set, clear;
};

constexpr std::array mount_flags = {
    MountFlag{"ro", MS_RDONLY, 0},
    MountFlag{"rw", 0, MS_RDONLY},
    MountFlag{"nodev", MS_NODEV, 0},
    MountFlag{"dev", 0, MS_NODEV},
    MountFlag{"nosuid", MS_NOSUID, 0},
    MountFlag{"suid", 0, MS_NOSUID},
    MountFlag{"noexec", MS_NOEXEC, 0},
    MountFlag{"exec", 0, MS_NOEXEC},
    MountFlag{"sync", MS_SYNCHRONOUS, 0},
    MountFlag{"async", 0, MS_SYNCHRONOUS},
    MountFlag{"dirsync", MS_DIRSYNC, 0},
    MountFlag{"noatime", MS_NOATIME, 0},
    MountFlag{"atime", 0, MS_NOATIME},
    MountFlag{"nodiratime", MS_NODIRATIME, 0},
    MountFlag{"diratime", 0, MS_NODIRATIME},
    MountFlag{"relatime", MS_RELATIME, 0},
    MountFlag{"norelatime", 0, MS_RELATIME},
    MountFlag{"strictatime", MS_STRICTATIME, 0},
    MountFlag{"defaults", 0, 0},
};

// Options of mount(8): flags for the kernel's VFS, the rest for the file system.
struct MountOptions {
  unsigned long flags = 0;
  std::string data;

  void add(std::string_view option) {
    for (const auto& known : mount_flags) {
      if (known.name != option) continue;
      flags = (flags & ~known.clear) | known.set;
      return;
    }
    if (!data.empty()) data += ',';
    data += option;
  }
  explicit MountOptions(std::string_view text) {
    std::string option;
    bool quoted = false;
    for (const char c : text) {
      if (c == '"') quoted = !quoted;
      if (c != ',' || quoted) {
        option += c;
        continue;
      }
      if (!option.empty()) add(option);
      option.clear();
    }
    if (!option.empty()) add(option);
  }
};

// overlayfs takes '\' before what would end a path.
std::string escaped(const std::filesystem::path& path, std::string_view special) {
  std::string result;
  for (const char c : path.string()) {
    if (special.find(c) != std::string_view::npos) result += '\\';
    result += c;
  }
  return result;
}

std::string overlay_data(const OverlayMount& mount, const MountOptions& options,
                         const std::vector<std::string>& lowers) {
  std::string data = "lowerdir=";
  for (std::size_t i = 0; i < lowers.size(); ++i) data.append(i == 0 ? "" : ":").append(lowers[i]);
  if (!mount.upper.empty()) {
    data.append(",upperdir=").append(escaped(mount.upper, "\\,"));
    data.append(",workdir=").append(escaped(mount.work, "\\,"));
  }
  if (!options.data.empty()) data.append(",").append(options.data);
  return data;
}

void call_mount(const std::filesystem::path& target, const MountOptions& options, const std::string& data) {
  if (::mount("overlay", target.c_str(), "overlay", options.flags, data.c_str()) != 0)
    throw Error::from_errno(errno, "mount overlay on " + target.string());
}

// In a thread that has a working directory of its own, every lower directory is named by a number.
void mount_by_descriptors(const OverlayMount& mount, const MountOptions& options, std::size_t limit) {
  std::vector<UniqueFd> open;
  std::vector<std::string> names;
  for (const auto& lower : mount.lowers) {
    open.push_back(open_file(lower, O_PATH | O_DIRECTORY));
    names.push_back(std::to_string(open.back().get()));
  }
  const std::string data = overlay_data(mount, options, names);
  if (data.size() >= limit)
    throw Error(Kind::unsupported, "mount overlay on " + mount.target.string() + ": too many layers");
  std::exception_ptr failure;
  std::thread([&] {
    try {
      if (::unshare(CLONE_FS) != 0 || ::chdir("/proc/self/fd") != 0)
        throw Error::from_errno(errno, "enter /proc/self/fd");
      call_mount(mount.target, options, data);
    } catch (...) {
      failure = std::current_exception();
    }
  }).join();
  if (failure) std::rethrow_exception(failure);
}

}  // namespace

bool is_mount_point(const std::filesystem::path& path) {
  struct ::statx status {};
  const int result =
      ::statx(AT_FDCWD, path.c_str(), AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT, STATX_BASIC_STATS, &status);
  if (result != 0 && (errno == ENOENT || errno == ENOTDIR)) return false;
  if (result != 0) throw Error::from_errno(errno, "stat " + path.string());
  return (status.stx_attributes & STATX_ATTR_MOUNT_ROOT) != 0;
}

void bind_on_itself(const std::filesystem::path& directory) {
  if (is_mount_point(directory)) return;
  if (::mount(directory.c_str(), directory.c_str(), nullptr, MS_BIND, nullptr) != 0)
    throw Error::from_errno(errno, "bind mount " + directory.string());
  if (::mount(nullptr, directory.c_str(), nullptr, MS_PRIVATE, nullptr) != 0)
    throw Error::from_errno(errno, "make " + directory.string() + " private");
}

void mount_overlay(const OverlayMount& mount) {
  const MountOptions options(mount.options);
  std::vector<std::string> names;
  for (const auto& lower : mount.lowers) names.push_back(escaped(lower, "\\:,"));
  std::string data = overlay_data(mount, options, names);
  // mount(2) takes a page of data.
  const auto limit = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  if (data.size() < limit) return call_mount(mount.target, options, data);

  mount_by_descriptors(mount, options, limit);
}

void unmount(const std::filesystem::path& path) {
  if (::umount2(path.c_str(), MNT_DETACH | UMOUNT_NOFOLLOW) == 0 || errno == EINVAL || errno == ENOENT)
    return;
  throw Error::from_errno(errno, "unmount " + path.string());
}

}  // namespace lade::os

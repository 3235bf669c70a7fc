#include "runtime/host.hpp"

#include <linux/capability.h>
#include <linux/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>

#include "os/file.hpp"
#include "os/user_namespace.hpp"

namespace lade::runtime {
namespace {

constexpr std::uint64_t proc_limit = 16 * 1024 * 1024;

std::vector<std::string> split_text(std::string_view text, char separator) {
  std::vector<std::string> parts;
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find(separator, begin), text.size());
    parts.emplace_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return parts;
}

// mountinfo writes blanks as \040 and the like.
std::string unescape_octal(std::string_view text) {
  std::string plain;
  for (std::size_t i = 0; i < text.size(); ++i) {
    unsigned value = 0;
    const bool escaped =
        text[i] == '\\' && i + 4 <= text.size() &&
        std::from_chars(text.data() + i + 1, text.data() + i + 4, value, 8).ptr == text.data() + i + 4;
    plain += escaped ? static_cast<char>(value) : text[i];
    if (escaped) i += 3;
  }
  return plain;
}

struct MountedCgroup {
  std::string root, mount_point, type;
  std::vector<std::string> options;
};

std::vector<MountedCgroup> mounted_cgroups(const std::string& mountinfo) {
  std::vector<MountedCgroup> mounts;
  for (const std::string& line : split_text(mountinfo, '\n')) {
    const auto fields = split_text(line, ' ');
    const auto dash = std::find(fields.begin(), fields.end(), "-");
    if (fields.size() < 6 || fields.end() - dash < 4) continue;
    const std::string point = unescape_octal(fields[4]);
    // What is mounted over others hides them.
    std::erase_if(mounts, [&](const MountedCgroup& earlier) {
      return earlier.mount_point == point || earlier.mount_point.starts_with(point + "/");
    });
    if (dash[1].starts_with("cgroup"))
      mounts.push_back({unescape_octal(fields[3]), point, dash[1], split_text(dash[3], ',')});
  }
  return mounts;
}

// A path of /proc/self/cgroup as seen below the mount point: mounts of containers show a part of the
// hierarchy.
std::string path_below(const std::string& path, const std::string& root) {
  if (root != "/" && path.starts_with(root)) {
    const std::string rest = path.substr(root.size());
    return rest.empty() ? "/" : rest;
  }
  return path;
}

bool has_all(const std::vector<std::string>& words, const std::vector<std::string>& wanted) {
  return std::all_of(wanted.begin(), wanted.end(), [&](const std::string& word) {
    return std::find(words.begin(), words.end(), word) != words.end();
  });
}

unsigned read_last_capability() {
  const auto text = os::find_file("/proc/sys/kernel/cap_last_cap", 64);
  unsigned last = 40;
  if (text) std::from_chars(text->data(), text->data() + text->size(), last);
  return std::min(last, 63U);
}

std::uint64_t permitted_capabilities() {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct data[2]{};
  if (::syscall(SYS_capget, &header, data) != 0) return 0;
  return data[0].permitted | static_cast<std::uint64_t>(data[1].permitted) << 32;
}

}  // namespace

bool Host::is_privileged() const {
  return uid == 0 && can(CAP_SYS_ADMIN);
}

std::vector<CgroupHierarchy> parse_cgroups(const std::string& own_cgroups, const std::string& mountinfo) {
  const auto mounts = mounted_cgroups(mountinfo);
  std::vector<CgroupHierarchy> hierarchies;
  for (const std::string& line : split_text(own_cgroups, '\n')) {
    const std::size_t first = line.find(':');
    const std::size_t second = line.find(':', first + 1);
    if (first == std::string::npos || second == std::string::npos) continue;
    CgroupHierarchy hierarchy;
    const std::string names = line.substr(first + 1, second - first - 1);
    if (!names.empty()) hierarchy.controllers = split_text(names, ',');
    for (const MountedCgroup& mount : mounts) {
      const bool fits = names.empty()
                            ? mount.type == "cgroup2"
                            : mount.type == "cgroup" && has_all(mount.options, hierarchy.controllers);
      if (!fits) continue;
      hierarchy.mount_point = mount.mount_point;
      hierarchy.own_path = path_below(line.substr(second + 1), mount.root);
      hierarchies.push_back(std::move(hierarchy));
      break;
    }
  }
  return hierarchies;
}

std::vector<std::string> mount_points() {
  std::vector<std::string> points;
  for (const std::string& line : split_text(os::read_file("/proc/self/mountinfo", proc_limit), '\n')) {
    const auto fields = split_text(line, ' ');
    if (fields.size() > 4) points.push_back(unescape_octal(fields[4]));
  }
  return points;
}

Host read_host() {
  Host host;
  host.uid = ::geteuid();
  host.gid = ::getegid();
  host.capabilities = permitted_capabilities();
  host.last_capability = read_last_capability();
  host.initial_user_namespace = os::in_initial_user_namespace();
  if (const auto setgroups = os::find_file("/proc/self/setgroups", 64))
    host.setgroups_allowed = !setgroups->starts_with("deny");
  host.has_selinux = ::access("/sys/fs/selinux/enforce", F_OK) == 0;
  if (const auto enabled = os::find_file("/sys/module/apparmor/parameters/enabled", 64))
    host.has_apparmor = enabled->starts_with("Y");
  // EFAULT and EBADF come from a kernel that knows it.
  host.has_mount_api = ::syscall(SYS_mount_setattr, -1, "", 0, nullptr, 0) == 0 || errno != ENOSYS;
  for (std::size_t i = 0; i < host.limits.size(); ++i) {
    rlimit limit{};
    if (::prlimit(0, static_cast<__rlimit_resource>(i), nullptr, &limit) == 0)
      host.limits[i] = {limit.rlim_cur, limit.rlim_max};
  }
  host.cgroups = parse_cgroups(os::read_file("/proc/self/cgroup", proc_limit),
                               os::read_file("/proc/self/mountinfo", proc_limit));
  return host;
}

}  // namespace lade::runtime

// What a plan has to know about the machine and about this process.
#pragma once

#include <sys/types.h>

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace lade::runtime {

// A mounted hierarchy of cgroups.
struct CgroupHierarchy {
  std::vector<std::string> controllers{};  // of v1: "cpu", "cpuacct" or "name=systemd"; empty: v2
  std::string mount_point{};
  std::string own_path{};        // of this process, "/" at least; below the mount point
  std::string container_path{};  // of the container that is planned; "" if it has none here

  bool is_unified() const { return controllers.empty(); }
};

struct HostLimit {
  std::uint64_t soft = 0, hard = 0;
};

struct Host {
  uid_t uid = 0;
  gid_t gid = 0;
  bool initial_user_namespace = true;
  std::uint64_t capabilities = 0;  // that are permitted, by bits
  unsigned last_capability = 40;
  bool setgroups_allowed = true;
  bool has_selinux = false, has_apparmor = false;
  bool has_mount_api = true;  // open_tree(2), move_mount(2), mount_setattr(2): Linux 5.12
  std::array<HostLimit, 16> limits{};
  std::vector<CgroupHierarchy> cgroups{};

  bool can(unsigned capability) const { return (capabilities >> capability & 1) != 0; }
  bool is_privileged() const;  // may mount, and map any ids
};

Host read_host();

// Where something is mounted in this mount namespace, in the order of mounting.
std::vector<std::string> mount_points();

// From /proc/self/cgroup and /proc/self/mountinfo.
std::vector<CgroupHierarchy> parse_cgroups(const std::string& own_cgroups, const std::string& mountinfo);

}  // namespace lade::runtime

// What info tells of the machine, from /proc, /etc/os-release and the kernel.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace lade::engine {

struct HostFacts {
  std::string architecture, variant, os;  // GOARCH and GOOS names
  std::string hostname, kernel;
  unsigned cpus = 0;
  // Percents of all time since the machine started.
  struct Cpu {
    double user = 0, system = 0, idle = 0;
  } cpu;
  struct Distribution {
    std::string id, version, codename, variant;  // "" where /etc/os-release has none
  } distribution;
  std::uint64_t memory_total = 0, memory_free = 0, swap_total = 0, swap_free = 0;  // bytes
  double uptime = 0;                                                               // seconds
  std::string cgroup_version;                                                      // "v1" or "v2"
  std::vector<std::string> cgroup_controllers;
  bool apparmor = false, selinux = false, seccomp = false;  // what the kernel offers and has enabled

  // `root` goes before every path; "" outside tests. What cannot be read stays empty.
  static HostFacts read(const std::filesystem::path& root = "");
};

// "3h 12m 24.79s (Approximately 0.12 days)"
std::string uptime_text(double seconds);

// "extfs", "xfs", "tmpfs", ... as containers/storage names the file system of a path; "<unknown>" otherwise.
std::string file_system_name(const std::filesystem::path& path);

}  // namespace lade::engine

// containers.conf(5): what containers are run with, as far as lade uses it. Read as storage.conf and
// registries.conf are (config_files.hpp); keys that mean something to other programs only are left alone.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "config/environment.hpp"

namespace lade::config {

struct ContainersConf {
  // [containers]
  std::vector<std::string> default_capabilities{"CHOWN",   "DAC_OVERRIDE",     "FOWNER",    "FSETID",
                                                "KILL",    "NET_BIND_SERVICE", "SETFCAP",   "SETGID",
                                                "SETPCAP", "SETUID",           "SYS_CHROOT"};
  std::vector<std::string> default_sysctls{"net.ipv4.ping_group_range=0 0"};
  std::vector<std::string> default_ulimits;  // "nofile=1024:2048"
  std::vector<std::string> devices;          // "/dev/sdc:/dev/xvdc:rwm"
  std::vector<std::string> dns_servers, dns_searches, dns_options;
  std::vector<std::string> env{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"};
  std::vector<std::string> volumes;
  std::string apparmor_profile, seccomp_profile;  // "": the defaults
  std::string base_hosts_file;                    // "": /etc/hosts; "none", "image" or a path
  std::string cgroupns = "private", ipcns = "private", netns = "private", pidns = "private",
              utsns = "private";
  std::string userns = "host";
  std::string shm_size = "65536k";
  std::int64_t pids_limit = 0;  // 0: none was given
  std::string tz, umask = "0022";
  bool http_proxy = true, no_hosts = false, container_name_as_hostname = false;
  std::string host_containers_internal_ip;  // "": one of this machine's; "none" or an address

  // [engine]
  std::string cgroup_manager;                                // "systemd", "cgroupfs"; "": not given
  std::string runtime;                                       // "": the program's own choice
  std::map<std::string, std::vector<std::string>> runtimes;  // [engine.runtimes]: where each may be
  std::vector<std::string> helper_binaries_dir{"/usr/local/libexec/podman", "/usr/local/lib/podman",
                                               "/usr/libexec/podman", "/usr/lib/podman"};
  std::vector<std::string> hooks_dir;
  std::string image_copy_tmp_dir;  // "": not given
  std::uint64_t retry = 3;
  std::string retry_delay;
  bool no_pivot_root = false;

  // [network]
  std::string default_network = "podman", default_subnet = "10.88.0.0/16",
              default_rootless_network_cmd = "pasta";
  std::string network_backend, network_config_dir;
  std::string firewall_driver;
  std::vector<std::string> pasta_options;

  std::vector<std::string> files;  // that were read

  // Kind::invalid_input "<file>:<line>: <key>: <reason>" for values of a wrong type.
  static ContainersConf load(const Environment& environment);
};

}  // namespace lade::config

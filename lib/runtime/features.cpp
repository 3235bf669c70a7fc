#include "runtime/names.hpp"
#include "runtime/runtime.hpp"
#include "runtime/seccomp_filter.hpp"

namespace lade::runtime {

using spec::Json;

Json features() {
  Json mounts = Json::array(), capabilities = Json::array(), namespaces = Json::array();
  for (const MountOption& option : mount_options()) mounts.push_back(option.name);
  for (const NamedNumber& entry : capability_names()) capabilities.push_back(entry.name);
  for (const char* name : {"cgroup", "ipc", "mount", "network", "pid", "time", "user", "uts"})
    namespaces.push_back(name);
  Json seccomp = {{"enabled", true},
                  {"actions", seccomp_actions()},
                  {"operators", seccomp_operators()},
                  {"archs", seccomp_architectures()},
                  {"knownFlags", seccomp_flags()},
                  {"supportedFlags", seccomp_flags()}};
  const Json cgroup = {
      {"v1", true}, {"v2", true}, {"systemd", false}, {"systemdUser", false}, {"rdma", true}};
  Json linux_part = {{"namespaces", std::move(namespaces)},
                     {"capabilities", std::move(capabilities)},
                     {"cgroup", cgroup},
                     {"seccomp", std::move(seccomp)},
                     {"apparmor", {{"enabled", true}}},
                     {"selinux", {{"enabled", true}}},
                     {"intelRdt", {{"enabled", false}}},
                     {"mountExtensions", {{"idmap", {{"enabled", true}}}}}};
  return {
      {"ociVersionMin", "1.0.0"},
      {"ociVersionMax", spec_version},
      {"hooks", {"prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop"}},
      {"mountOptions", std::move(mounts)},
      {"linux", std::move(linux_part)}};
}

}  // namespace lade::runtime

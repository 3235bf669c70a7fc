#include <algorithm>
#include <type_traits>

#include "runtime/spec.hpp"
#include "runtime/spec_members.hpp"

namespace lade::runtime {
namespace {

using spec::Json;

template <class T>
Json write_value(const T& value);

// What Go's omitempty leaves out.
bool is_empty(const Json& value) {
  return value.is_null() || ((value.is_array() || value.is_object()) && value.empty()) ||
         (value.is_string() && value.get_ref<const std::string&>().empty()) ||
         (value.is_boolean() && !value.get<bool>()) || (value.is_number() && value == 0);
}

template <class T>
inline constexpr bool is_optional = false;
template <class T>
inline constexpr bool is_optional<std::optional<T>> = true;

class SpecWriter {
 public:
  explicit SpecWriter(Json& object) : object_(object) {}

  template <class T>
  void operator()(const char* name, const T& value) {
    Json json = write_value(value);
    const bool keep = is_optional<T> ? !json.is_null() : !is_empty(json);
    if (keep) object_[name] = std::move(json);
  }

  template <class T>
  void require(const char* name, const T& value) {
    object_[name] = write_value(value);
  }

 private:
  Json& object_;
};

Json write_one(char value) {
  return std::string(1, value);
}
Json write_one(NamespaceType value) {
  return std::string(to_string(value));
}
template <class T>
requires std::is_arithmetic_v<T> Json write_one(T value) {
  return value;
}
Json write_one(const std::string& value) {
  return value;
}
template <class T>
Json write_one(const std::optional<T>& value) {
  return value ? write_value(*value) : Json();
}
template <class T>
Json write_one(const std::vector<T>& value) {
  Json list = Json::array();
  for (const T& element : value) list.push_back(write_value(element));
  return list;
}
template <class T>
Json write_one(const std::map<std::string, T>& value) {
  Json object = Json::object();
  for (const auto& [name, member] : value) object[name] = write_value(member);
  return object;
}

template <class T>
Json write_value(const T& value) {
  if constexpr (requires(SpecWriter & writer) { Members<SpecWriter, T>::of(writer, value); }) {
    Json object = Json::object();
    SpecWriter writer(object);
    Members<SpecWriter, T>::of(writer, value);
    return object;
  } else {
    return write_one(value);
  }
}

Mount mount_of(const char* destination, const char* type, const char* source,
               std::vector<std::string> options) {
  Mount mount;
  mount.destination = destination;
  mount.type = type;
  mount.source = source;
  mount.options = std::move(options);
  return mount;
}

std::vector<Mount> default_mounts(bool rootless) {
  std::vector<std::string> pts = {"nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620"};
  if (!rootless) pts.emplace_back("gid=5");
  std::vector<Mount> mounts = {
      mount_of("/proc", "proc", "proc", {}),
      mount_of("/dev", "tmpfs", "tmpfs", {"nosuid", "strictatime", "mode=755", "size=65536k"}),
      mount_of("/dev/pts", "devpts", "devpts", std::move(pts)),
      mount_of("/dev/shm", "tmpfs", "shm", {"nosuid", "noexec", "nodev", "mode=1777", "size=65536k"}),
      mount_of("/dev/mqueue", "mqueue", "mqueue", {"nosuid", "noexec", "nodev"}),
  };
  // Without a network namespace of its own a user namespace may not mount sysfs.
  mounts.push_back(rootless ? mount_of("/sys", "none", "/sys", {"rbind", "nosuid", "noexec", "nodev", "ro"})
                            : mount_of("/sys", "sysfs", "sysfs", {"nosuid", "noexec", "nodev", "ro"}));
  if (!rootless)
    mounts.push_back(
        mount_of("/sys/fs/cgroup", "cgroup", "cgroup", {"nosuid", "noexec", "nodev", "relatime", "ro"}));
  return mounts;
}

}  // namespace

Json to_json(const Spec& spec) {
  return write_value(spec);
}
Json to_json(const Process& process) {
  return write_value(process);
}
Json to_json(const Resources& resources) {
  return write_value(resources);
}

Spec default_spec(bool rootless, uid_t uid, gid_t gid) {
  Spec spec;
  Process& process = spec.process.emplace();
  process.terminal = true;
  process.args = {"sh"};
  process.env = {"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "TERM=xterm"};
  const std::vector<std::string> capabilities = {"CAP_AUDIT_WRITE", "CAP_KILL", "CAP_NET_BIND_SERVICE"};
  process.capabilities = Capabilities{capabilities, capabilities, {}, capabilities, {}};
  process.rlimits = {{"RLIMIT_NOFILE", 1024, 1024}};
  process.no_new_privileges = true;
  spec.root = Root{"rootfs", true};
  spec.hostname = "lade";
  spec.mounts = default_mounts(rootless);
  Linux& linux_part = spec.linux;
  for (const auto type : {NamespaceType::pid, NamespaceType::network, NamespaceType::ipc, NamespaceType::uts,
                          NamespaceType::cgroup, NamespaceType::mount}) {
    const bool shared = rootless && type == NamespaceType::network;
    if (!shared) linux_part.namespaces.push_back({type, ""});
  }
  if (rootless) {
    linux_part.namespaces.push_back({NamespaceType::user, ""});
    linux_part.uid_mappings = {{0, uid, 1}};
    linux_part.gid_mappings = {{0, gid, 1}};
  } else {
    linux_part.resources.emplace().devices = {{false, "", std::nullopt, std::nullopt, "rwm"}};
  }
  linux_part.masked_paths = {"/proc/acpi",
                             "/proc/asound",
                             "/proc/interrupts",
                             "/proc/kcore",
                             "/proc/keys",
                             "/proc/latency_stats",
                             "/proc/timer_list",
                             "/proc/timer_stats",
                             "/proc/sched_debug",
                             "/sys/firmware",
                             "/sys/devices/virtual/powercap",
                             "/proc/scsi"};
  linux_part.readonly_paths = {"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"};
  return spec;
}

}  // namespace lade::runtime

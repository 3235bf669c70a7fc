// The configuration of a container: config.json of the OCI runtime specification 1.2 (1.0 to 1.3 are read),
// as values. Members have the names of the specification. A value that was parsed has only been checked for
// its shape; what the words mean on this host is decided by plan().
#pragma once

#include <sys/types.h>

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "spec/json.hpp"

namespace lade::runtime {

inline constexpr std::string_view spec_version = "1.2.1";  // what new documents say
inline constexpr std::size_t max_spec_size = 16 * 1024 * 1024;

enum class NamespaceType { pid, network, mount, ipc, uts, user, cgroup, time };
inline constexpr std::size_t namespace_types = 8;
std::string_view to_string(NamespaceType type);  // the specification's word: "pid", "network", ...

struct Namespace {
  NamespaceType type = NamespaceType::mount;
  std::string path{};  // joined; "" for a new one
};

struct IdMapping {
  std::uint32_t container_id = 0, host_id = 0, size = 0;
};

struct User {
  std::uint32_t uid = 0, gid = 0;
  std::optional<std::uint32_t> umask{};
  std::vector<std::uint32_t> additional_gids{};
  std::string username{};  // of other systems; kept
};

// Each set holds names such as "CAP_CHOWN".
struct Capabilities {
  std::vector<std::string> bounding{}, effective{}, inheritable{}, permitted{}, ambient{};
};

struct Rlimit {
  std::string type{};  // "RLIMIT_NOFILE"
  std::uint64_t hard = 0, soft = 0;
};

struct Scheduler {
  std::string policy{};  // "SCHED_OTHER"
  std::int32_t nice = 0, priority = 0;
  std::vector<std::string> flags{};
  std::uint64_t runtime = 0, deadline = 0, period = 0;  // nanoseconds
};

struct IoPriority {
  std::string io_class{};  // "IOPRIO_CLASS_BE"
  std::int32_t priority = 0;
};

struct ConsoleSize {
  std::uint32_t height = 0, width = 0;
};

struct ExecCpuAffinity {
  std::string initial{}, final{};  // lists such as "0-3,7"
};

struct Process {
  bool terminal = false;
  std::optional<ConsoleSize> console_size{};
  User user{};
  std::vector<std::string> args{};
  std::vector<std::string> env{};  // "NAME=value"
  std::string cwd = "/";
  std::optional<Capabilities> capabilities{};  // absent: no process gets any
  std::vector<Rlimit> rlimits{};
  bool no_new_privileges = false;
  std::string apparmor_profile{};
  std::optional<int> oom_score_adj{};
  std::optional<Scheduler> scheduler{};
  std::string selinux_label{};
  std::optional<IoPriority> io_priority{};
  std::optional<ExecCpuAffinity> exec_cpu_affinity{};
};

struct Root {
  std::string path{};  // absolute or relative to the bundle
  bool readonly = false;
};

struct Mount {
  std::string destination{};
  std::string type{}, source{};
  std::vector<std::string>
      options{};  // of mount(8) and of the specification: "rbind", "rro", "idmap", "tmpcopyup"
  std::vector<IdMapping> uid_mappings{}, gid_mappings{};
};

struct Hook {
  std::string path{};
  std::vector<std::string> args{}, env{};
  std::optional<std::uint32_t> timeout{};  // seconds
};

struct Hooks {
  std::vector<Hook> prestart{}, create_runtime{}, create_container{}, start_container{}, poststart{},
      poststop{};
};

struct Device {
  std::string path{};
  char type = 'c';  // b, c, u or p
  std::int64_t major = 0, minor = 0;
  std::optional<std::uint32_t> file_mode{}, uid{}, gid{};
};

struct DeviceRule {
  bool allow = false;
  std::string type{};  // "a", "b", "c"; "" means all
  std::optional<std::int64_t> major{}, minor{};
  std::string access{};  // of "rwm"
};

struct MemoryLimits {
  std::optional<std::int64_t> limit{}, reservation{}, swap{}, kernel{}, kernel_tcp{};  // bytes; -1 unlimited
  std::optional<std::uint64_t> swappiness{};
  std::optional<bool> disable_oom_killer{}, use_hierarchy{}, check_before_update{};
};

struct CpuLimits {
  std::optional<std::uint64_t> shares{}, burst{}, period{}, realtime_period{};
  std::optional<std::int64_t> quota{}, realtime_runtime{}, idle{};
  std::string cpus{}, mems{};
};

struct BlockWeight {
  std::int64_t major = 0, minor = 0;
  std::optional<std::uint16_t> weight{}, leaf_weight{};
};

struct BlockThrottle {
  std::int64_t major = 0, minor = 0;
  std::uint64_t rate = 0;
};

struct BlockLimits {
  std::optional<std::uint16_t> weight{}, leaf_weight{};
  std::vector<BlockWeight> weight_device{};
  std::vector<BlockThrottle> read_bps{}, write_bps{}, read_iops{}, write_iops{};
};

struct HugepageLimit {
  std::string page_size{};  // "2MB"
  std::uint64_t limit = 0;
};

struct InterfacePriority {
  std::string name{};
  std::uint32_t priority = 0;
};

struct NetworkLimits {
  std::optional<std::uint32_t> class_id{};
  std::vector<InterfacePriority> priorities{};
};

struct RdmaLimit {
  std::optional<std::uint32_t> hca_handles{}, hca_objects{};
};

struct PidsLimit {
  std::optional<std::int64_t> limit{};  // -1 unlimited
};

struct Resources {
  std::vector<DeviceRule> devices{};
  MemoryLimits memory{};
  CpuLimits cpu{};
  PidsLimit pids{};
  BlockLimits block_io{};
  std::vector<HugepageLimit> hugepage_limits{};
  NetworkLimits network{};
  std::map<std::string, RdmaLimit> rdma{};
  std::map<std::string, std::string> unified{};  // files of cgroup v2
};

struct SeccompArgument {
  std::uint32_t index = 0;
  std::uint64_t value = 0, value_two = 0;
  std::string op{};  // "SCMP_CMP_EQ"
};

struct SeccompRule {
  std::vector<std::string> names{};
  std::string action{};  // "SCMP_ACT_ALLOW"
  std::optional<std::uint32_t> errno_ret{};
  std::vector<SeccompArgument> args{};
};

struct Seccomp {
  std::string default_action{};
  std::optional<std::uint32_t> default_errno_ret{};
  std::vector<std::string> architectures{}, flags{};
  std::string listener_path{}, listener_metadata{};
  std::vector<SeccompRule> syscalls{};
};

struct IntelRdt {
  std::string clos_id{}, l3_cache_schema{}, mem_bw_schema{};
  std::vector<std::string> schemata{};
  bool enable_monitoring = false;
};

struct TimeOffset {
  std::int64_t secs = 0;
  std::uint32_t nanosecs = 0;
};

struct Personality {
  std::string domain{};  // "LINUX" or "LINUX32"
  std::vector<std::string> flags{};
};

struct NetDevice {
  std::string name{};  // in the container; "" for that of the host
};

struct Linux {
  std::vector<IdMapping> uid_mappings{}, gid_mappings{};
  std::map<std::string, std::string> sysctl{};
  std::optional<Resources> resources{};
  std::string cgroups_path{};
  std::vector<Namespace> namespaces{};
  std::vector<Device> devices{};
  std::map<std::string, NetDevice> net_devices{};  // by the name on the host
  std::optional<Seccomp> seccomp{};
  std::string rootfs_propagation{};
  std::vector<std::string> masked_paths{}, readonly_paths{};
  std::string mount_label{};
  std::optional<IntelRdt> intel_rdt{};
  std::optional<Personality> personality{};
  std::map<std::string, TimeOffset> time_offsets{};  // "monotonic", "boottime"

  const Namespace* find(NamespaceType type) const;  // nullptr if the host's is shared
};

struct Spec {
  std::string oci_version{spec_version};
  std::optional<Process> process{};
  std::optional<Root> root{};
  std::string hostname{}, domainname{};
  std::vector<Mount> mounts{};
  Hooks hooks{};
  std::map<std::string, std::string> annotations{};
  Linux linux{};
};

// Kind::invalid_input "config.json: <member>: <reason>" for what is not such a document; unknown members are
// ignored, as the specification wants. Kind::unsupported for a version other than 1.x.
Spec parse_spec(std::string_view text);
// The object alone, of --process files; and of `update --resources`.
Process parse_process(std::string_view text);
Resources parse_resources(std::string_view text);

// What was parsed, in the specification's order; parse_spec(dump_json(to_json(s))) is the same value.
spec::Json to_json(const Spec& spec);
spec::Json to_json(const Process& process);
spec::Json to_json(const Resources& resources);

// What `runc spec` and `crun spec` write: a shell in new namespaces; `rootless` with a user namespace for
// this user.
Spec default_spec(bool rootless, uid_t uid, gid_t gid);

}  // namespace lade::runtime

#include "runtime/names.hpp"

#include <linux/capability.h>
#include <linux/mount.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>

#include <algorithm>
#include <charconv>

#include "base/error.hpp"
#include "runtime/runtime.hpp"

#ifndef MOUNT_ATTR_NOSYMFOLLOW
#define MOUNT_ATTR_NOSYMFOLLOW 0x00200000
#endif
#ifndef MS_NOSYMFOLLOW
#define MS_NOSYMFOLLOW 256
#endif
#ifndef CAP_PERFMON
#define CAP_PERFMON 38
#define CAP_BPF 39
#endif
#ifndef CAP_CHECKPOINT_RESTORE
#define CAP_CHECKPOINT_RESTORE 40
#endif

namespace lade::runtime {
namespace {

constexpr NamedNumber capability_table[] = {
    {"CAP_CHOWN", CAP_CHOWN},
    {"CAP_DAC_OVERRIDE", CAP_DAC_OVERRIDE},
    {"CAP_DAC_READ_SEARCH", CAP_DAC_READ_SEARCH},
    {"CAP_FOWNER", CAP_FOWNER},
    {"CAP_FSETID", CAP_FSETID},
    {"CAP_KILL", CAP_KILL},
    {"CAP_SETGID", CAP_SETGID},
    {"CAP_SETUID", CAP_SETUID},
    {"CAP_SETPCAP", CAP_SETPCAP},
    {"CAP_LINUX_IMMUTABLE", CAP_LINUX_IMMUTABLE},
    {"CAP_NET_BIND_SERVICE", CAP_NET_BIND_SERVICE},
    {"CAP_NET_BROADCAST", CAP_NET_BROADCAST},
    {"CAP_NET_ADMIN", CAP_NET_ADMIN},
    {"CAP_NET_RAW", CAP_NET_RAW},
    {"CAP_IPC_LOCK", CAP_IPC_LOCK},
    {"CAP_IPC_OWNER", CAP_IPC_OWNER},
    {"CAP_SYS_MODULE", CAP_SYS_MODULE},
    {"CAP_SYS_RAWIO", CAP_SYS_RAWIO},
    {"CAP_SYS_CHROOT", CAP_SYS_CHROOT},
    {"CAP_SYS_PTRACE", CAP_SYS_PTRACE},
    {"CAP_SYS_PACCT", CAP_SYS_PACCT},
    {"CAP_SYS_ADMIN", CAP_SYS_ADMIN},
    {"CAP_SYS_BOOT", CAP_SYS_BOOT},
    {"CAP_SYS_NICE", CAP_SYS_NICE},
    {"CAP_SYS_RESOURCE", CAP_SYS_RESOURCE},
    {"CAP_SYS_TIME", CAP_SYS_TIME},
    {"CAP_SYS_TTY_CONFIG", CAP_SYS_TTY_CONFIG},
    {"CAP_MKNOD", CAP_MKNOD},
    {"CAP_LEASE", CAP_LEASE},
    {"CAP_AUDIT_WRITE", CAP_AUDIT_WRITE},
    {"CAP_AUDIT_CONTROL", CAP_AUDIT_CONTROL},
    {"CAP_SETFCAP", CAP_SETFCAP},
    {"CAP_MAC_OVERRIDE", CAP_MAC_OVERRIDE},
    {"CAP_MAC_ADMIN", CAP_MAC_ADMIN},
    {"CAP_SYSLOG", CAP_SYSLOG},
    {"CAP_WAKE_ALARM", CAP_WAKE_ALARM},
    {"CAP_BLOCK_SUSPEND", CAP_BLOCK_SUSPEND},
    {"CAP_AUDIT_READ", CAP_AUDIT_READ},
    {"CAP_PERFMON", CAP_PERFMON},
    {"CAP_BPF", CAP_BPF},
    {"CAP_CHECKPOINT_RESTORE", CAP_CHECKPOINT_RESTORE},
};

constexpr NamedNumber rlimits[] = {
    {"RLIMIT_AS", RLIMIT_AS},
    {"RLIMIT_CORE", RLIMIT_CORE},
    {"RLIMIT_CPU", RLIMIT_CPU},
    {"RLIMIT_DATA", RLIMIT_DATA},
    {"RLIMIT_FSIZE", RLIMIT_FSIZE},
    {"RLIMIT_LOCKS", RLIMIT_LOCKS},
    {"RLIMIT_MEMLOCK", RLIMIT_MEMLOCK},
    {"RLIMIT_MSGQUEUE", RLIMIT_MSGQUEUE},
    {"RLIMIT_NICE", RLIMIT_NICE},
    {"RLIMIT_NOFILE", RLIMIT_NOFILE},
    {"RLIMIT_NPROC", RLIMIT_NPROC},
    {"RLIMIT_RSS", RLIMIT_RSS},
    {"RLIMIT_RTPRIO", RLIMIT_RTPRIO},
    {"RLIMIT_RTTIME", RLIMIT_RTTIME},
    {"RLIMIT_SIGPENDING", RLIMIT_SIGPENDING},
    {"RLIMIT_STACK", RLIMIT_STACK},
};

constexpr NamedNumber policies[] = {
    {"SCHED_OTHER", SCHED_OTHER}, {"SCHED_FIFO", SCHED_FIFO}, {"SCHED_RR", SCHED_RR},
    {"SCHED_BATCH", SCHED_BATCH}, {"SCHED_ISO", 4},           {"SCHED_IDLE", SCHED_IDLE},
    {"SCHED_DEADLINE", 6},
};

constexpr NamedNumber policy_flags[] = {
    {"SCHED_FLAG_RESET_ON_FORK", 0x01},  {"SCHED_FLAG_RECLAIM", 0x02},
    {"SCHED_FLAG_DL_OVERRUN", 0x04},     {"SCHED_FLAG_KEEP_POLICY", 0x08},
    {"SCHED_FLAG_KEEP_PARAMS", 0x10},    {"SCHED_FLAG_UTIL_CLAMP_MIN", 0x20},
    {"SCHED_FLAG_UTIL_CLAMP_MAX", 0x40},
};

constexpr NamedNumber classes[] = {
    {"IOPRIO_CLASS_RT", 1},
    {"IOPRIO_CLASS_BE", 2},
    {"IOPRIO_CLASS_IDLE", 3},
};

using OptionEffect = MountOption::Effect;
constexpr MountOption option_table[] = {
    {"acl", OptionEffect::flag, 1UL << 16},  // MS_POSIXACL
    {"async", OptionEffect::clear, MS_SYNCHRONOUS},
    {"atime", OptionEffect::clear, MS_NOATIME},
    {"bind", OptionEffect::flag, MS_BIND},
    {"defaults", OptionEffect::none, 0},
    {"dev", OptionEffect::clear, MS_NODEV},
    {"diratime", OptionEffect::clear, MS_NODIRATIME},
    {"dirsync", OptionEffect::flag, MS_DIRSYNC},
    {"exec", OptionEffect::clear, MS_NOEXEC},
    {"idmap", OptionEffect::idmap, 0},
    {"iversion", OptionEffect::flag, MS_I_VERSION},
    {"lazytime", OptionEffect::flag, MS_LAZYTIME},
    {"loud", OptionEffect::clear, MS_SILENT},
    {"mand", OptionEffect::flag, MS_MANDLOCK},
    {"noacl", OptionEffect::clear, 1UL << 16},
    {"noatime", OptionEffect::flag, MS_NOATIME},
    {"nodev", OptionEffect::flag, MS_NODEV},
    {"nodiratime", OptionEffect::flag, MS_NODIRATIME},
    {"noexec", OptionEffect::flag, MS_NOEXEC},
    {"noiversion", OptionEffect::clear, MS_I_VERSION},
    {"nolazytime", OptionEffect::clear, MS_LAZYTIME},
    {"nomand", OptionEffect::clear, MS_MANDLOCK},
    {"norelatime", OptionEffect::clear, MS_RELATIME},
    {"nostrictatime", OptionEffect::clear, MS_STRICTATIME},
    {"nosuid", OptionEffect::flag, MS_NOSUID},
    {"nosymfollow", OptionEffect::flag, MS_NOSYMFOLLOW},
    {"private", OptionEffect::propagation, MS_PRIVATE},
    {"ratime", OptionEffect::recursive_clear, MOUNT_ATTR_NOATIME},
    {"rbind", OptionEffect::flag, MS_BIND | MS_REC},
    {"rdev", OptionEffect::recursive_clear, MOUNT_ATTR_NODEV},
    {"rdiratime", OptionEffect::recursive_clear, MOUNT_ATTR_NODIRATIME},
    {"relatime", OptionEffect::flag, MS_RELATIME},
    {"remount", OptionEffect::flag, MS_REMOUNT},
    {"rexec", OptionEffect::recursive_clear, MOUNT_ATTR_NOEXEC},
    {"ridmap", OptionEffect::ridmap, 0},
    {"rnoatime", OptionEffect::recursive, MOUNT_ATTR_NOATIME},
    {"rnodev", OptionEffect::recursive, MOUNT_ATTR_NODEV},
    {"rnodiratime", OptionEffect::recursive, MOUNT_ATTR_NODIRATIME},
    {"rnoexec", OptionEffect::recursive, MOUNT_ATTR_NOEXEC},
    {"rnorelatime", OptionEffect::recursive_clear, MOUNT_ATTR_RELATIME},
    {"rnostrictatime", OptionEffect::recursive_clear, MOUNT_ATTR_STRICTATIME},
    {"rnosuid", OptionEffect::recursive, MOUNT_ATTR_NOSUID},
    {"rnosymfollow", OptionEffect::recursive, MOUNT_ATTR_NOSYMFOLLOW},
    {"ro", OptionEffect::flag, MS_RDONLY},
    {"rprivate", OptionEffect::propagation, MS_PRIVATE | MS_REC},
    {"rrelatime", OptionEffect::recursive, MOUNT_ATTR_RELATIME},
    {"rro", OptionEffect::recursive, MOUNT_ATTR_RDONLY},
    {"rrw", OptionEffect::recursive_clear, MOUNT_ATTR_RDONLY},
    {"rshared", OptionEffect::propagation, MS_SHARED | MS_REC},
    {"rslave", OptionEffect::propagation, MS_SLAVE | MS_REC},
    {"rstrictatime", OptionEffect::recursive, MOUNT_ATTR_STRICTATIME},
    {"rsuid", OptionEffect::recursive_clear, MOUNT_ATTR_NOSUID},
    {"rsymfollow", OptionEffect::recursive_clear, MOUNT_ATTR_NOSYMFOLLOW},
    {"runbindable", OptionEffect::propagation, MS_UNBINDABLE | MS_REC},
    {"rw", OptionEffect::clear, MS_RDONLY},
    {"shared", OptionEffect::propagation, MS_SHARED},
    {"silent", OptionEffect::flag, MS_SILENT},
    {"slave", OptionEffect::propagation, MS_SLAVE},
    {"strictatime", OptionEffect::flag, MS_STRICTATIME},
    {"suid", OptionEffect::clear, MS_NOSUID},
    {"symfollow", OptionEffect::clear, MS_NOSYMFOLLOW},
    {"sync", OptionEffect::flag, MS_SYNCHRONOUS},
    {"tmpcopyup", OptionEffect::copy_up, 0},
    {"unbindable", OptionEffect::propagation, MS_UNBINDABLE},
};

constexpr NamedNumber signal_table[] = {
    {"HUP", SIGHUP},   {"INT", SIGINT},       {"QUIT", SIGQUIT},     {"ILL", SIGILL},   {"TRAP", SIGTRAP},
    {"ABRT", SIGABRT}, {"IOT", SIGIOT},       {"BUS", SIGBUS},       {"FPE", SIGFPE},   {"KILL", SIGKILL},
    {"USR1", SIGUSR1}, {"SEGV", SIGSEGV},     {"USR2", SIGUSR2},     {"PIPE", SIGPIPE}, {"ALRM", SIGALRM},
    {"TERM", SIGTERM}, {"STKFLT", SIGSTKFLT}, {"CHLD", SIGCHLD},     {"CLD", SIGCHLD},  {"CONT", SIGCONT},
    {"STOP", SIGSTOP}, {"TSTP", SIGTSTP},     {"TTIN", SIGTTIN},     {"TTOU", SIGTTOU}, {"URG", SIGURG},
    {"XCPU", SIGXCPU}, {"XFSZ", SIGXFSZ},     {"VTALRM", SIGVTALRM}, {"PROF", SIGPROF}, {"WINCH", SIGWINCH},
    {"IO", SIGIO},     {"POLL", SIGPOLL},     {"PWR", SIGPWR},       {"SYS", SIGSYS},
};

constexpr int highest_signal = 64;
constexpr int first_realtime = 34;

template <class T>
std::optional<T> parse_number(std::string_view text) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// "RTMIN+3", "RTMAX-1".
std::optional<int> find_realtime_signal(std::string_view name) {
  const bool from_min = name.starts_with("RTMIN");
  if (!from_min && !name.starts_with("RTMAX")) return std::nullopt;
  name.remove_prefix(5);
  const int base = from_min ? first_realtime : highest_signal;
  if (name.empty()) return base;
  const auto distance = parse_number<int>(name.substr(1));
  if (name[0] != (from_min ? '+' : '-') || !distance || *distance < 0) return std::nullopt;
  const int signal = from_min ? base + *distance : base - *distance;
  if (signal < first_realtime || signal > highest_signal) return std::nullopt;
  return signal;
}

}  // namespace

std::optional<std::uint64_t> find_number(std::span<const NamedNumber> table, std::string_view name) {
  const auto found =
      std::find_if(table.begin(), table.end(), [&](const NamedNumber& n) { return n.name == name; });
  if (found == table.end()) return std::nullopt;
  return found->value;
}

std::span<const NamedNumber> capability_names() {
  return capability_table;
}
std::span<const NamedNumber> rlimit_names() {
  return rlimits;
}
std::span<const NamedNumber> scheduler_policies() {
  return policies;
}
std::span<const NamedNumber> scheduler_flags() {
  return policy_flags;
}
std::span<const NamedNumber> io_classes() {
  return classes;
}
std::span<const MountOption> mount_options() {
  return option_table;
}

const MountOption* find_mount_option(std::string_view name) {
  const auto* found = std::find_if(std::begin(option_table), std::end(option_table),
                                   [&](const MountOption& option) { return option.name == name; });
  return found == std::end(option_table) ? nullptr : found;
}

std::uint64_t clone_flag(NamespaceType type) {
  switch (type) {
    case NamespaceType::pid: return CLONE_NEWPID;
    case NamespaceType::network: return CLONE_NEWNET;
    case NamespaceType::mount: return CLONE_NEWNS;
    case NamespaceType::ipc: return CLONE_NEWIPC;
    case NamespaceType::uts: return CLONE_NEWUTS;
    case NamespaceType::user: return CLONE_NEWUSER;
    case NamespaceType::cgroup: return CLONE_NEWCGROUP;
    case NamespaceType::time: return CLONE_NEWTIME;
  }
  return 0;
}

std::uint64_t mount_attributes(std::uint64_t mount_flags) {
  constexpr std::pair<std::uint64_t, std::uint64_t> pairs[] = {
      {MS_RDONLY, MOUNT_ATTR_RDONLY},         {MS_NOSUID, MOUNT_ATTR_NOSUID},
      {MS_NODEV, MOUNT_ATTR_NODEV},           {MS_NOEXEC, MOUNT_ATTR_NOEXEC},
      {MS_NOATIME, MOUNT_ATTR_NOATIME},       {MS_STRICTATIME, MOUNT_ATTR_STRICTATIME},
      {MS_NODIRATIME, MOUNT_ATTR_NODIRATIME}, {MS_NOSYMFOLLOW, MOUNT_ATTR_NOSYMFOLLOW},
  };
  std::uint64_t attributes = 0;
  for (const auto& [flag, attribute] : pairs) {
    if ((mount_flags & flag) != 0) attributes |= attribute;
  }
  return attributes;
}

std::optional<std::vector<unsigned>> parse_cpu_list(std::string_view list) {
  constexpr unsigned most_cpus = 1U << 16;
  std::vector<unsigned> cpus;
  while (!list.empty()) {
    const std::size_t comma = std::min(list.find(','), list.size());
    const std::string_view part = list.substr(0, comma);
    list.remove_prefix(std::min(comma + 1, list.size()));
    const std::size_t dash = part.find('-');
    const auto first = parse_number<unsigned>(part.substr(0, dash));
    const auto last = dash == std::string_view::npos ? first : parse_number<unsigned>(part.substr(dash + 1));
    if (!first || !last || *last < *first || *last >= most_cpus) return std::nullopt;
    for (unsigned cpu = *first; cpu <= *last; ++cpu) cpus.push_back(cpu);
    if (cpus.size() > most_cpus) return std::nullopt;
  }
  return cpus;
}

int parse_signal(std::string_view word) {
  if (const auto number = parse_number<int>(word); number && *number >= 0 && *number <= highest_signal)
    return *number;
  std::string name(word);
  for (char& c : name) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  if (name.starts_with("SIG")) name.erase(0, 3);
  if (const auto found = find_number(signal_table, name)) return static_cast<int>(*found);
  if (const auto realtime = find_realtime_signal(name)) return *realtime;
  throw Error(Kind::invalid_input, "unknown signal `" + std::string(word.substr(0, 64)) + "`");
}

}  // namespace lade::runtime

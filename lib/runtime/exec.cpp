#include <fcntl.h>
#include <fmt/format.h>
#include <sched.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "os/file.hpp"
#include "runtime/names.hpp"
#include "runtime/runtime_impl.hpp"

namespace lade::runtime {
namespace {

struct NamespaceFile {
  NamespaceType type;
  const char* name;
};
// The user namespace first, the mounts last.
constexpr NamespaceFile namespace_files[] = {
    {NamespaceType::user, "user"}, {NamespaceType::pid, "pid"},   {NamespaceType::network, "net"},
    {NamespaceType::ipc, "ipc"},   {NamespaceType::uts, "uts"},   {NamespaceType::cgroup, "cgroup"},
    {NamespaceType::time, "time"}, {NamespaceType::mount, "mnt"},
};

bool is_same_file(const std::string& one, const std::string& other) {
  struct stat a, b;
  if (::stat(one.c_str(), &a) < 0 || ::stat(other.c_str(), &b) < 0) return true;  // this kernel has none
  return a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

// What differs from this process.
std::vector<Join> joins_of(pid_t pid) {
  std::vector<Join> joins;
  for (const NamespaceFile& file : namespace_files) {
    const std::string path = fmt::format("/proc/{}/ns/{}", pid, file.name);
    if (!is_same_file(path, fmt::format("/proc/self/ns/{}", file.name))) joins.push_back({file.type, path});
  }
  return joins;
}

Plan plan_exec(const Record& record, const Spec& spec, const Process& process, const ExecOptions& options,
               const Host& host) {
  check_process(process);
  Plan plan;
  plan.has_mount_api = host.has_mount_api;
  plan.joins = joins_of(record.process.pid);
  plan.needs_intermediate = true;
  for (const Join& join : plan.joins) plan.join_user = plan.join_user || join.type == NamespaceType::user;
  if (plan.join_user) {
    plan.uid_mappings = spec.linux.uid_mappings;
    plan.gid_mappings = spec.linux.gid_mappings;
  }
  if (process.oom_score_adj) {
    plan.oom_score = std::to_string(*process.oom_score_adj);
    plan.oom_score_may_fail = true;
  }
  plan.steps.emplace_back(step::NewSession{});
  if (!options.no_new_keyring) plan.steps.emplace_back(step::NewKeyring{"_ses." + record.id});
  plan.steps.emplace_back(step::UseRoot{record.mounts_stay});
  if (process.terminal) {
    step::OpenTerminal terminal;
    if (const auto& size = process.console_size) {
      terminal.rows = static_cast<std::uint16_t>(std::min(size->height, 65535U));
      terminal.columns = static_cast<std::uint16_t>(std::min(size->width, 65535U));
    }
    terminal.uid = process.user.uid;
    terminal.bind_console = false;
    plan.steps.emplace_back(terminal);
  }
  plan.steps.emplace_back(step::EnterDirectory{process.cwd, process.user.uid, process.user.gid});
  plan.steps.emplace_back(step::FindProgram{program_candidates(process), process.args[0]});
  return plan;
}

// initial: before the process is in the cgroup; final: after.
void set_affinity(pid_t pid, const std::string& list) {
  if (list.empty()) return;
  const auto cpus = parse_cpu_list(list);
  if (!cpus) throw Error(Kind::invalid_input, "process.execCPUAffinity: bad list " + list);
  cpu_set_t set;
  CPU_ZERO(&set);
  for (const unsigned cpu : *cpus) {
    if (cpu < CPU_SETSIZE) CPU_SET(cpu, &set);
  }
  if (::sched_setaffinity(pid, sizeof set, &set) < 0)
    throw Error::from_errno(errno, "process.execCPUAffinity");
}

}  // namespace

ExitStatus Runtime::exec(const std::string& id, const Process& process, const ExecOptions& options) {
  const StateDirectory states(options_.root);
  const Record record = find_record(states, id);
  const Status status = status_of(record, states);
  if (status != Status::running && status != Status::created)
    throw Error(Kind::invalid_input, fmt::format("the container `{}` is not running", id));
  if (("/" + options.cgroup + "/").find("/../") != std::string::npos)
    throw Error(Kind::invalid_input, "--cgroup has .. in it");
  const Spec spec = states.read_spec(id);
  const Host host = read_host();
  const Plan plan = plan_exec(record, spec, process, options, host);
  std::optional<SignalTap> signals;
  if (options.forward_signals && !options.detach) signals.emplace();
  ConsoleEnds console = open_console(process.terminal, options.console_socket);
  const os::UniqueFd root =
      os::open_file(fmt::format("/proc/{}/root", record.process.pid), O_PATH | O_DIRECTORY);
  LaunchRequest request;
  request.plan = &plan;
  request.host = &host;
  request.process = &process;
  request.seccomp = spec.linux.seccomp ? &*spec.linux.seccomp : nullptr;
  request.filter_cache = states.filter_cache();
  request.personality = spec.linux.personality;
  request.streams = options.streams;
  request.console_fd = console.child.get();
  request.root_fd = root.get();
  request.waits = false;
  request.state = [&](pid_t pid, const char* word) { return hook_state(record, pid, word); };
  const Cgroup cgroup(record.cgroups);
  const os::UniqueFd group = cgroup.open_unified(options.cgroup);
  request.cgroup_fd = group.get();
  request.place = [&](pid_t pid, bool began) {
    const auto affinity = process.exec_cpu_affinity.value_or(ExecCpuAffinity{});
    set_affinity(pid, affinity.initial);
    cgroup.add(pid, {options.cgroup, began});
    set_affinity(pid, affinity.final);
  };
  const Launched launched = launch(context_, request);
  console.child.reset();
  if (!options.pid_file.empty()) write_pid_file(options.pid_file, launched.pid);
  if (options.detach) return {};
  Supervision what;
  what.pid = launched.pid;
  what.pidfd = launched.pidfd.get();
  what.signals = signals ? &*signals : nullptr;
  what.standard = options.streams.standard;
  os::UniqueFd master;
  if (console.own.is_open()) master = receive_master(console.own.get());
  what.master = master.get();
  return supervise(context_, what);
}

}  // namespace lade::runtime

#include "runtime/runtime.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <sstream>

#include "base/scope_exit.hpp"
#include "os/atomic_file.hpp"
#include "os/file.hpp"
#include "os/user_namespace.hpp"
#include "runtime/runtime_impl.hpp"

namespace lade::runtime {
namespace {

namespace fs = std::filesystem;

// Mounts that a container without a mount namespace of its own has left below its root, the last one first.
void unmount_below(const std::string& root) {
  const std::vector<std::string> points = mount_points();
  for (auto point = points.rbegin(); point != points.rend(); ++point) {
    if (*point == root || point->starts_with(root + "/")) ::umount2(point->c_str(), MNT_DETACH);
  }
}

[[noreturn]] void refuse_state(const std::string& id, std::string_view what, Status status) {
  throw Error(Kind::invalid_input,
              fmt::format("cannot {} container `{}`: it is {}", what, id, to_string(status)));
}

void send_signal(const ProcessIdentity& process, int signal) {
  const os::UniqueFd handle(static_cast<int>(::syscall(SYS_pidfd_open, process.pid, 0)));
  if (!handle.is_open() || !is_alive(process))
    throw Error(Kind::not_found, "kill container: no such process");
  if (::syscall(SYS_pidfd_send_signal, handle.get(), signal, nullptr, 0) < 0)
    throw Error::from_errno(errno, "kill container");
}

void end_process(const ProcessIdentity& process) {
  const os::UniqueFd handle(process.pid <= 0 ? -1
                                             : static_cast<int>(::syscall(SYS_pidfd_open, process.pid, 0)));
  if (!handle.is_open() || !is_alive(process)) return;
  ::syscall(SYS_pidfd_send_signal, handle.get(), SIGKILL, nullptr, 0);
  pollfd watched{handle.get(), POLLIN, 0};
  while (::poll(&watched, 1, -1) < 0 && errno == EINTR) {
  }
}

bool is_rootless(const RuntimeOptions& options) {
  if (options.rootless) return *options.rootless;
  return ::geteuid() != 0 || !os::in_initial_user_namespace();
}

// As the namespace above this one sees this process.
uid_t outer_uid() {
  const uid_t own = ::geteuid();
  std::istringstream map(os::find_file("/proc/self/uid_map", 64 * 1024).value_or(""));
  for (std::uint64_t inner = 0, outer = 0, count = 0; map >> inner >> outer >> count;)
    if (own >= inner && own - inner < count) return static_cast<uid_t>(outer + (own - inner));
  return own;
}

// Lets the process go on, and knows from the other end of the fifo when it has.
void start_by_fifo(const fs::path& path) {
  const os::UniqueFd fifo = os::open_file(path, O_WRONLY | O_NONBLOCK);
  const char byte = 1;
  if (::write(fifo.get(), &byte, 1) != 1) throw Error::from_errno(errno, "starting the container");
  ::unlink(path.c_str());
  // Nobody reads it any more once the program is executed.
  pollfd watched{fifo.get(), 0, 0};
  while (::poll(&watched, 1, -1) < 0 && errno == EINTR) {
  }
}

}  // namespace

Record find_record(const StateDirectory& states, const std::string& id) {
  check_id(id);
  auto record = states.find(id);
  if (!record) throw Error(Kind::not_found, fmt::format("container `{}` does not exist", id));
  return *std::move(record);
}

std::string hook_state(const Record& record, pid_t pid, const char* status) {
  spec::Json json = {{"ociVersion", record.oci_version},
                     {"id", record.id},
                     {"status", status},
                     {"pid", pid},
                     {"bundle", record.bundle}};
  if (!record.annotations.empty()) {
    spec::Json& annotations = json["annotations"] = spec::Json::object();
    for (const auto& [name, value] : record.annotations) annotations[name] = value;
  }
  return spec::dump_json(json);
}

void write_pid_file(const fs::path& path, pid_t pid) {
  os::write_file(path, std::to_string(pid));
}

void run_lenient_hooks(const Context& context, const std::vector<Hook>& hooks, const char* name,
                       const std::string& state) {
  for (const Hook& hook : hooks) {
    const int result = run_hook(make_hook_command(hook), state.c_str());
    if (result == 0) continue;
    const std::string reason =
        result >= fault_link ? describe_fault(result) : Error::from_errno(result, "executing it").what();
    context.log.warning(fmt::format("{} hook {}: {}", name, hook.path, reason));
  }
}

void end_container(const Record& record) {
  end_process(record.process);
  const Cgroup cgroup(record.cgroups);
  cgroup.kill_all();
  cgroup.remove();
  if (record.mounts_stay && !record.rootfs.empty()) unmount_below(record.rootfs);
}

void destroy(const Context& context, const StateDirectory& states, const Record& record) {
  end_container(record);
  std::optional<Spec> spec;
  try {
    if (record.created) spec = states.read_spec(record.id);
  } catch (const Error& error) {
    context.log.debug(error.what());
  }
  {
    const os::LockFile lock = states.lock(context);
    states.remove(record.id);
  }
  if (spec) run_lenient_hooks(context, spec->hooks.poststop, "poststop", hook_state(record, 0, "stopped"));
}

std::string_view to_string(Status status) {
  switch (status) {
    case Status::creating: return "creating";
    case Status::created: return "created";
    case Status::running: return "running";
    case Status::stopped: return "stopped";
    case Status::paused: return "paused";
  }
  return "stopped";
}

spec::Json to_json(const State& state) {
  spec::Json annotations = spec::Json::object();
  for (const auto& [name, value] : state.annotations) annotations[name] = value;
  return {
      {"ociVersion", state.oci_version},   {"id", state.id},         {"pid", state.pid},
      {"status", to_string(state.status)}, {"bundle", state.bundle}, {"rootfs", state.rootfs},
      {"created", state.created},          {"owner", state.owner},   {"annotations", std::move(annotations)}};
}

fs::path default_root(const std::string& runtime_dir) {
  if (!is_rootless({})) return "/run/lade-runtime";
  if (!runtime_dir.empty()) return fs::path(runtime_dir) / "lade-runtime";
  const uid_t user = outer_uid();
  const fs::path run = fmt::format("/run/user/{}", user);
  std::error_code error;
  if (fs::is_directory(run, error)) return run / "lade-runtime";
  return fmt::format("/tmp/lade-runtime-{}", user);
}

Spec load_spec(const fs::path& bundle) {
  return in_context([&] { return "bundle " + bundle.string(); },
                    [&] { return parse_spec(os::read_file(bundle / "config.json", max_spec_size)); });
}

Runtime::Runtime(const Context& context, RuntimeOptions options)
    : context_(context), options_(std::move(options)), rootless_(is_rootless(options_)) {
  if (options_.root.empty()) options_.root = default_root("");
}

void Runtime::create(const std::string& id, const Spec& spec, const CreateOptions& options) {
  create_container(context_, options_, rootless_, id, spec, options, {});
}

void Runtime::start(const std::string& id) {
  const StateDirectory states(options_.root);
  const Record record = find_record(states, id);
  const os::LockFile lock(context_, states.path_of(id));
  const Status status = status_of(record, states);
  if (status != Status::created) refuse_state(id, "start", status);
  const Spec spec = states.read_spec(id);
  // Its process ends at once. An error that, as the specification allows, only the log tells: crun does the
  // same.
  if (!spec.process)
    context_.log.log(Level::error, fmt::format("container `{}` has no process to be started", id));
  start_by_fifo(states.fifo_of(id));
  run_lenient_hooks(context_, spec.hooks.poststart, "poststart",
                    hook_state(record, record.process.pid, "running"));
}

ExitStatus Runtime::run(const std::string& id, const Spec& spec, const RunOptions& options) {
  if (!spec.process) throw Error(Kind::invalid_input, "process: is missing");
  const StateDirectory states(options_.root);
  std::optional<SignalTap> signals;
  if (options.forward_signals && !options.detach) signals.emplace();
  CreateMode mode;
  mode.by_fifo = false;
  mode.transient = !options.detach && !options.keep;
  mode.death_signal = options.die_with_parent ? SIGKILL : 0;
  const auto made = create_container(context_, options_, rootless_, id, spec, options, mode);
  ScopeExit clean([&] {
    try {
      destroy(context_, states, made->record);
    } catch (const Error& error) {
      context_.log.warning(error.what());
    }
  });
  release(context_, made->request, made->launched);
  run_lenient_hooks(context_, spec.hooks.poststart, "poststart",
                    hook_state(made->record, made->launched.pid, "running"));
  if (options.detach) {
    clean.release();
    return {};
  }
  Supervision what;
  what.pid = made->launched.pid;
  what.pidfd = made->launched.pidfd.get();
  what.signals = signals ? &*signals : nullptr;
  what.standard = options.streams.standard;
  what.stop_signal = options.stop_signal;
  what.stop_grace = options.stop_grace;
  os::UniqueFd master;
  if (made->console.own.is_open()) master = receive_master(made->console.own.get());
  what.master = master.get();
  const ExitStatus status = supervise(context_, what);
  if (options.keep) clean.release();
  return status;
}

State Runtime::state(const std::string& id) const {
  const StateDirectory states(options_.root);
  const Record record = find_record(states, id);
  State state;
  state.oci_version = record.oci_version;
  state.id = record.id;
  state.status = status_of(record, states);
  state.pid = state.status == Status::stopped ? 0 : record.process.pid;
  state.bundle = record.bundle;
  state.rootfs = record.rootfs;
  state.created = record.created_at;
  state.owner = std::to_string(record.owner);
  state.annotations = record.annotations;
  return state;
}

std::vector<State> Runtime::list() const {
  const StateDirectory states(options_.root);
  std::vector<State> all;
  for (const std::string& id : states.ids()) {
    try {
      all.push_back(state(id));
    } catch (const Error& error) {
      context_.log.warning(fmt::format("container {}: {}", id, error.what()));
    }
  }
  return all;
}

std::vector<pid_t> Runtime::processes(const std::string& id) const {
  const StateDirectory states(options_.root);
  const Record record = find_record(states, id);
  if (status_of(record, states) == Status::stopped) return {};
  const Cgroup cgroup(record.cgroups);
  if (cgroup.empty()) return {record.process.pid};
  return cgroup.processes();
}

Spec Runtime::spec_of(const std::string& id) const {
  const StateDirectory states(options_.root);
  find_record(states, id);
  return states.read_spec(id);
}

void Runtime::kill(const std::string& id, int signal, bool all) {
  const StateDirectory states(options_.root);
  const Record record = find_record(states, id);
  const Status status = status_of(record, states);
  if (all) {
    const auto pids = Cgroup(record.cgroups).processes();
    if (pids.empty() && status == Status::stopped) refuse_state(id, "kill", status);
    if (pids.empty()) return send_signal(record.process, signal);
    for (const pid_t pid : pids) ::kill(pid, signal);
    return;
  }
  if (status == Status::stopped || status == Status::creating) refuse_state(id, "kill", status);
  send_signal(record.process, signal);
}

void Runtime::remove(const std::string& id, bool force) {
  const StateDirectory states(options_.root);
  check_id(id);
  if (force && !states.find(id)) return;
  find_record(states, id);
  const os::LockFile lock(context_, states.path_of(id));
  const auto record = states.find(id);
  if (!record) return;  // by another command meanwhile
  const Status status = status_of(*record, states);
  const bool half_made = record->process.pid == 0 && record->creator.pid == 0;
  if (status != Status::stopped && !force && !half_made) refuse_state(id, "delete", status);
  destroy(context_, states, *record);
}

void Runtime::pause(const std::string& id) {
  const StateDirectory states(options_.root);
  const Record record = find_record(states, id);
  const Status status = status_of(record, states);
  if (status != Status::running && status != Status::created) refuse_state(id, "pause", status);
  Cgroup(record.cgroups).freeze(true);
}

void Runtime::resume(const std::string& id) {
  const StateDirectory states(options_.root);
  const Record record = find_record(states, id);
  const Cgroup cgroup(record.cgroups);
  const Status status = status_of(record, states);
  if (!cgroup.is_frozen()) refuse_state(id, "resume", status);
  cgroup.freeze(false);
}

void Runtime::update(const std::string& id, const Resources& resources) {
  const StateDirectory states(options_.root);
  const Record record = find_record(states, id);
  const Status status = status_of(record, states);
  if (status == Status::stopped || status == Status::creating) refuse_state(id, "update", status);
  if (record.cgroups.empty()) throw Error(Kind::unsupported, "updating limits needs a cgroup");
  Cgroup(record.cgroups).apply(context_, resources, false);
}

}  // namespace lade::runtime

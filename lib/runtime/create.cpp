#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <ctime>
#include <filesystem>

#include "base/scope_exit.hpp"
#include "os/atomic_file.hpp"
#include "os/file.hpp"
#include "runtime/runtime_impl.hpp"

namespace lade::runtime {
namespace {

namespace fs = std::filesystem;

// Going up until the device changes would miss bind mounts.
std::string mount_point_of(const std::string& path) {
  std::string best = "/";
  for (std::string& point : mount_points()) {
    const bool above = point == "/" || path == point || path.starts_with(point + "/");
    if (above && point.size() >= best.size()) best = std::move(point);
  }
  return best;
}

std::string absolute_root(const Spec& spec, const fs::path& bundle) {
  if (!spec.root || spec.root->path.empty()) throw Error(Kind::invalid_input, "root.path: is missing");
  const fs::path path =
      fs::path(spec.root->path).is_absolute() ? fs::path(spec.root->path) : bundle / spec.root->path;
  return in_context([&] { return "root.path " + path.string(); },
                    [&] {
                      std::error_code error;
                      const fs::path real = fs::canonical(path, error);
                      if (error) throw Error::from_errno(error.value(), "open");
                      if (!fs::is_directory(real, error))
                        throw Error(Kind::invalid_input, "it is not a directory");
                      return real.string();
                    });
}

std::string format_utc(std::chrono::system_clock::time_point time) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(time);
  const auto nanoseconds = std::chrono::duration_cast<std::chrono::nanoseconds>(time - seconds).count();
  const std::time_t since_epoch = std::chrono::system_clock::to_time_t(seconds);
  std::tm fields{};
  ::gmtime_r(&since_epoch, &fields);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:09}Z", fields.tm_year + 1900, fields.tm_mon + 1,
                     fields.tm_mday, fields.tm_hour, fields.tm_min, fields.tm_sec, nanoseconds);
}

// A container whose creator was killed before it was done, or that nobody waits for any more.
bool is_abandoned(const Record& record) {
  return (!record.created || record.transient) && !is_alive(record.creator);
}

void claim_id(const Context& context, const StateDirectory& states, const Record& record) {
  const os::LockFile lock = states.lock(context);
  if (states.add(record)) return;
  const auto found = states.find(record.id);
  if (found && is_abandoned(*found)) {
    context.log.debug("removing what an interrupted command left of container " + record.id);
    end_container(*found);
    states.remove(record.id);
    if (states.add(record)) return;
  }
  throw Error(Kind::already_exists, fmt::format("container with id exists already: `{}`", record.id));
}

os::UniqueFd make_fifo(const StateDirectory& states, const std::string& id) {
  const fs::path path = states.fifo_of(id);
  if (::mkfifo(path.c_str(), 0600) < 0) throw Error::from_errno(errno, "mkfifo " + path.string());
  // Both ways, so that reading waits for the first writer.
  return os::open_file(path, O_RDWR);
}

void plan_container(CreatedContainer& made, const Spec& spec, const CreateOptions& create, bool rootless) {
  PlanOptions options;
  options.root = made.record.rootfs;
  options.bundle = made.record.bundle;
  options.no_pivot = create.no_pivot;
  options.no_new_keyring = create.no_new_keyring;
  options.rootless = rootless;
  options.keyring_name = "_ses." + made.record.id;
  if (spec.linux.rootfs_propagation.find("shared") != std::string::npos)
    options.root_mount = mount_point_of(options.root);
  made.plan = plan(spec, made.host, options);
}

void place_container(const Context& context, CreatedContainer& made, const Spec& spec, bool rootless,
                     pid_t pid, bool began) {
  const Cgroup cgroup(made.record.cgroups);
  cgroup.add(pid, {.began_in_unified = began});
  if (spec.linux.resources) cgroup.apply(context, *spec.linux.resources, rootless);
}

void prepare_request(const Context& context, const StateDirectory& states, CreatedContainer& made,
                     const Spec& spec, const CreateOptions& create, const CreateMode& mode, bool rootless) {
  LaunchRequest& request = made.request;
  request.plan = &made.plan;
  request.host = &made.host;
  request.process = spec.process ? &*spec.process : nullptr;
  request.personality = spec.linux.personality;
  request.seccomp = spec.linux.seccomp ? &*spec.linux.seccomp : nullptr;
  request.filter_cache = states.filter_cache();
  request.streams = create.streams;
  request.console_fd = made.console.child.get();
  request.wait_fd = made.fifo.get();
  request.death_signal = mode.death_signal;
  request.container_hooks = spec.hooks.create_container;
  request.start_hooks = spec.hooks.start_container;
  request.cgroup_fd = made.cgroup.get();
  request.place = [&context, &made, &spec, rootless](pid_t pid, bool began) {
    place_container(context, made, spec, rootless, pid, began);
  };
  request.state = [&made](pid_t pid, const char* status) { return hook_state(made.record, pid, status); };
  request.runtime_hooks = [&made, &spec](pid_t pid) {
    const std::string state = hook_state(made.record, pid, "created");
    for (const auto* list : {&spec.hooks.prestart, &spec.hooks.create_runtime}) {
      for (const Hook& hook : *list) {
        const int result = run_hook(make_hook_command(hook), state.c_str());
        if (result >= fault_link)
          throw Error(Kind::invalid_input, fmt::format("hook {}: {}", hook.path, describe_fault(result)));
        if (result != 0) throw Error::from_errno(result, "hook " + hook.path);
      }
    }
  };
}

Record new_record(const Context& context, const std::string& id, const Spec& spec,
                  const CreateOptions& create) {
  Record record;
  record.oci_version = spec.oci_version;
  record.id = id;
  record.bundle = create.bundle.string();
  record.created_at = format_utc(context.clock.now());
  record.owner = ::geteuid();
  record.annotations = spec.annotations;
  record.creator = identify_process(::getpid()).value_or(ProcessIdentity{});
  return record;
}

}  // namespace

ConsoleEnds open_console(bool terminal, const fs::path& console_socket) {
  ConsoleEnds ends;
  if (!terminal) {
    if (!console_socket.empty())
      throw Error(Kind::invalid_input, "there is a console socket, but the process has no terminal");
    return ends;
  }
  if (!console_socket.empty()) {
    ends.child = connect_socket(console_socket.string(), SOCK_STREAM);
    return ends;
  }
  int pair[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
    throw Error::from_errno(errno, "socketpair");
  ends.child = os::UniqueFd(pair[0]);
  ends.own = os::UniqueFd(pair[1]);
  return ends;
}

std::unique_ptr<CreatedContainer> create_container(const Context& context, const RuntimeOptions& options,
                                                   bool rootless, const std::string& id, const Spec& spec,
                                                   const CreateOptions& create, const CreateMode& mode) {
  check_id(id);
  const StateDirectory states(options.root);
  auto owned = std::make_unique<CreatedContainer>();  // it refers to itself
  CreatedContainer& made = *owned;
  made.record = new_record(context, id, spec, create);
  made.record.transient = mode.transient;
  made.record.rootfs = absolute_root(spec, create.bundle);
  made.host = read_host();
  if (options.cgroup_manager == CgroupManager::disabled) {
    made.host.cgroups.clear();
  } else {
    choose_cgroups(made.host, spec.linux.cgroups_path, id, rootless);
  }
  plan_container(made, spec, create, rootless);
  for (const std::string& warning : made.plan.warnings) context.log.warning(warning);
  made.record.mounts_stay = made.plan.mounts_stay;
  made.record.cgroups = Cgroup::planned(made.host).directories();
  claim_id(context, states, made.record);
  ScopeExit undo([&] {
    try {
      destroy(context, states, made.record);
    } catch (const Error& error) {
      context.log.warning(error.what());
    }
  });
  const Cgroup cgroup = Cgroup::create(made.host);
  made.record.cgroups = cgroup.directories();
  made.cgroup = cgroup.open_unified();
  if (mode.by_fifo) made.fifo = make_fifo(states, id);
  states.write_spec(id, spec);
  made.console = open_console(spec.process && spec.process->terminal, create.console_socket);
  prepare_request(context, states, made, spec, create, mode, rootless);
  made.launched = launch(context, made.request);
  made.console.child.reset();
  made.record.process = identify_process(made.launched.pid).value_or(ProcessIdentity{made.launched.pid, 0});
  made.record.created = true;
  states.write(made.record);
  if (!create.pid_file.empty()) write_pid_file(create.pid_file, made.launched.pid);
  undo.release();
  return owned;
}

}  // namespace lade::runtime

#include "runtime/child.hpp"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <linux/keyctl.h>
#include <linux/sched.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <sys/fsuid.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <climits>
#include <cstring>

#include "runtime/child_files.hpp"
#include "runtime/child_terminal.hpp"
#include "runtime/names.hpp"

#ifndef MFD_EXEC
#define MFD_EXEC 0x0010U
#endif
#ifndef F_SEAL_EXEC
#define F_SEAL_EXEC 0x0020
#endif

namespace lade::runtime {
namespace {

struct ChildState {
  ChildWork& work;
  ChildRoot root{};
  std::int32_t step = -1;  // that is being performed; -1: what comes before
  std::size_t candidate = 0;
  bool has_terminal = false;
};

void tell(const ChildWork& work, ChildMessage::Kind kind, std::int32_t step = 0, std::int32_t error = 0,
          std::int32_t pid = 0) {
  const ChildMessage message{kind, step, error, pid};
  while (::send(work.sync_fd, &message, sizeof message, MSG_NOSIGNAL) < 0 && errno == EINTR) {
  }
}

[[noreturn]] void fail(const ChildState& state, int error) {
  tell(state.work, ChildMessage::failed, state.step, error < 0 ? -error : error);
  ::_exit(1);
}

// The runtime's byte; when it has ended, so does this.
void await_byte(int fd) {
  char byte = 0;
  for (;;) {
    const auto got = ::read(fd, &byte, 1);
    if (got == 1) return;
    if (got == 0 || errno != EINTR) ::_exit(1);
  }
}

void close_on_exec_from(int first) {
  if (::syscall(SYS_close_range, static_cast<unsigned>(first), ~0U, CLOSE_RANGE_CLOEXEC) == 0) return;
  // Before Linux 5.11. Descriptors are numbered from the lowest free one: the limit bounds them.
  const long most = ::sysconf(_SC_OPEN_MAX);
  for (int fd = first; fd < most; ++fd) ::fcntl(fd, F_SETFD, FD_CLOEXEC);
}

int take_descriptors(const ChildWork& work) {
  int next = 0;
  for (const int fd : work.own_fds) {
    if (::dup2(fd, next) < 0) return -errno;
    ++next;
  }
  close_on_exec_from(next);
  return 0;
}

int write_file_at(int directory, const char* path, const std::string& text) {
  const int fd = ::openat(directory, path, O_WRONLY | O_CLOEXEC);
  if (fd < 0) return -errno;
  const auto written = ::write(fd, text.data(), text.size());
  const int result = written < 0 ? -errno : 0;
  ::close(fd);
  return result;
}

// Root of the user namespace, or the first that it has.
int become_namespace_root(const Plan& plan) {
  const auto first_of = [](const std::vector<IdMapping>& maps) {
    std::uint32_t first = maps.empty() ? 0 : maps[0].container_id;
    for (const IdMapping& map : maps) first = map.container_id == 0 ? 0 : first;
    return first;
  };
  const std::uint32_t uid = first_of(plan.uid_mappings), gid = first_of(plan.gid_mappings);
  if (::syscall(SYS_setresgid, gid, gid, gid) < 0 && !plan.join_user) return -errno;
  if (::syscall(SYS_setresuid, uid, uid, uid) < 0 && !plan.join_user) return -errno;
  return 0;
}

int setns_join(const ChildWork& work, std::size_t index) {
  const auto type = static_cast<int>(clone_flag(work.plan->joins[index].type));
  return ::setns(work.join_fds[index], type) < 0 ? -errno : 0;
}

int return_to_proc(const ChildWork& work) {
  return ::fchdir(work.proc_fd) < 0 ? -errno : 0;
}

int perform(ChildState& state, const step::JoinNamespace& step) {
  if (const int result = setns_join(state.work, step.join); result < 0) return result;
  return return_to_proc(state.work);
}

int perform(ChildState&, const step::NewSession&) {
  return ::setsid() < 0 && errno != EPERM ? -errno : 0;
}

int perform(ChildState&, const step::NewKeyring& step) {
  // Not everywhere: kernels without keys, and filters around this process.
  if (::syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, step.name.c_str()) < 0 && errno != ENOSYS &&
      errno != EPERM && errno != EDQUOT)
    return -errno;
  return 0;
}

int perform(ChildState&, const step::UnshareCgroup&) {
  return ::unshare(CLONE_NEWCGROUP) < 0 ? -errno : 0;
}

int perform(ChildState&, const step::SetHostname& step) {
  return ::sethostname(step.name.data(), step.name.size()) < 0 ? -errno : 0;
}

int perform(ChildState&, const step::SetDomainname& step) {
  return ::setdomainname(step.name.data(), step.name.size()) < 0 ? -errno : 0;
}

int perform(ChildState&, const step::LoopbackUp&) {
  const int fd = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return -errno;
  ifreq request{};
  std::memcpy(request.ifr_name, "lo", 3);
  request.ifr_flags = IFF_UP | IFF_RUNNING;
  const int result = ::ioctl(fd, SIOCSIFFLAGS, &request) < 0 ? -errno : 0;
  ::close(fd);
  return result;
}

int perform(ChildState& state, const step::WriteSysctl& step) {
  char path[PATH_MAX];
  if (step.path.size() + 5 > sizeof path) return -ENAMETOOLONG;
  std::memcpy(path, "sys/", 4);
  std::memcpy(path + 4, step.path.c_str(), step.path.size() + 1);
  return write_file_at(state.work.proc_fd, path, step.value);
}

int perform(ChildState&, const step::SetPropagation& step) {
  return ::mount(nullptr, "/", nullptr, step.flags, nullptr) < 0 ? -errno : 0;
}

int perform(ChildState& state, const step::OpenRoot& step) {
  return open_root(state.root, step, state.work.source_fds.data());
}
int perform(ChildState& state, const step::MountAt& step) {
  return mount_at(state.root, step, state.work.source_fds.data());
}
int perform(ChildState& state, const step::MakeLink& step) {
  return make_link(state.root, step);
}
int perform(ChildState& state, const step::MakeDevice& step) {
  return make_device(state.root, step);
}

int perform(ChildState& state, const step::MakeDirectory& step) {
  const int fd = open_target(state.root.fd, step.path.c_str(), true);
  if (fd < 0) return fd == -EROFS ? 0 : fd;  // entering it says that it is not there
  ::close(fd);
  return 0;
}

int perform(ChildState& state, const step::OpenTerminal& step) {
  state.has_terminal = true;
  return open_terminal(state.root, step, state.work.console_fd);
}

int perform(ChildState& state, const step::AwaitRuntimeHooks&) {
  tell(state.work, ChildMessage::at_hooks);
  await_byte(state.work.sync_fd);
  return 0;
}

int run_hooks(const std::vector<HookCommand>& hooks, const char* text) {
  for (const HookCommand& hook : hooks) {
    if (const int result = run_hook(hook, text); result != 0) return -result;
  }
  return 0;
}

int perform(ChildState& state, const step::RunHooks&) {
  return run_hooks(state.work.container_hooks, state.work.hook_state);
}

int perform(ChildState& state, const step::MaskPath& step) {
  return mask_path(state.root, step.path.c_str());
}
int perform(ChildState& state, const step::MakeReadonly& step) {
  return make_readonly(state.root, step.path.c_str());
}

int perform(ChildState& state, const step::MakeRootReadonly&) {
  mount_attr attributes{};
  attributes.attr_set = MOUNT_ATTR_RDONLY;
  if (state.root.has_mount_api)
    return ::syscall(SYS_mount_setattr, state.root.fd, "", AT_EMPTY_PATH, &attributes, sizeof attributes) < 0
               ? -errno
               : 0;
  return ::mount(nullptr, FdPath(state.root.fd).c_str(), nullptr, MS_REMOUNT | MS_BIND | MS_RDONLY, nullptr) <
                 0
             ? -errno
             : 0;
}

int perform(ChildState& state, const step::EnterRoot& step) {
  return enter_root(state.root, step.how);
}

int perform(ChildState& state, const step::UseRoot& step) {
  if (step.chroot && (::fchdir(state.work.root_fd) < 0 || ::chroot(".") < 0)) return -errno;
  state.root.fd = ::open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
  return state.root.fd < 0 ? -errno : 0;
}

int perform(ChildState&, const step::EnterDirectory& step) {
  int result = ::chdir(step.path.c_str()) < 0 ? -errno : 0;
  if (result == -EACCES && step.uid != 0) {
    // File systems that do not trust root.
    const int gid = ::setfsgid(step.gid), uid = ::setfsuid(step.uid);
    result = ::chdir(step.path.c_str()) < 0 ? -errno : 0;
    ::setfsuid(static_cast<uid_t>(uid));
    ::setfsgid(static_cast<gid_t>(gid));
  }
  if (result < 0) return result;
  // A directory of the host that was reached through a leaked descriptor has no path here.
  char here[PATH_MAX];
  if (::syscall(SYS_getcwd, here, sizeof here) < 0) return errno == ENOENT ? -fault_outside : -errno;
  return here[0] == '/' ? 0 : -fault_outside;
}

int perform(ChildState& state, const step::FindProgram& step) {
  int error = ENOENT;
  for (std::size_t i = 0; i < step.candidates.size(); ++i) {
    const char* path = step.candidates[i].c_str();
    struct stat info;
    if (::stat(path, &info) < 0) {
      if (errno != ENOENT && errno != ENOTDIR) error = errno;
      continue;
    }
    if (!S_ISREG(info.st_mode) || ::access(path, X_OK) < 0) {
      error = EACCES;
      continue;
    }
    state.candidate = i;
    return 0;
  }
  return -error;
}

void put_path(ChildState& state) {
  ChildWork& work = state.work;
  if (work.candidates.empty()) return;
  const std::uint64_t address = work.candidates[state.candidate];
  std::memcpy(work.program.data() + work.path_position, &address, sizeof address);
}

// Where files in memory cannot be executed: the same calls, made by this process.
[[noreturn]] void run_tail_here(const ChildState& state) {
  constexpr std::uintptr_t page_mask = 0xffff;
  const std::size_t offset = tail_data_offset();
  const auto base = static_cast<std::uintptr_t>(tail_base());
  const std::size_t size = state.work.program.size() - offset + (base & page_mask);
  void* at = ::mmap(reinterpret_cast<void*>(base & ~page_mask), size, PROT_READ | PROT_WRITE,
                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
  if (at == MAP_FAILED) fail(state, errno);
  std::memcpy(reinterpret_cast<void*>(base), state.work.program.data() + offset,
              state.work.program.size() - offset);
  run_tail(*reinterpret_cast<const TailHeader*>(base));
}

int make_program(const std::vector<std::byte>& program) {
  int fd = ::memfd_create("lade-runtime", MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_EXEC);
  if (fd < 0 && errno == EINVAL) fd = ::memfd_create("lade-runtime", MFD_CLOEXEC | MFD_ALLOW_SEALING);
  if (fd < 0) return -1;
  std::size_t done = 0;
  while (done < program.size()) {
    const auto written = ::write(fd, program.data() + done, program.size() - done);
    if (written <= 0) return ::close(fd), -1;
    done += static_cast<std::size_t>(written);
  }
  constexpr int seals = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;
  if (::fcntl(fd, F_ADD_SEALS, seals) < 0) return ::close(fd), -1;
  return fd;
}

[[noreturn]] void finish(ChildState& state) {
  ChildWork& work = state.work;
  if (!work.start_hooks.empty()) {
    tell(work, ChildMessage::prepared);
    await_byte(work.wait_fd);
    state.step = static_cast<std::int32_t>(work.plan->steps.size());
    if (const int result = run_hooks(work.start_hooks, work.hook_state); result < 0) fail(state, result);
  }
  put_path(state);
  for (const int fd : {work.sync_fd, work.wait_fd, work.proc_fd}) {
    if (fd >= 0) ::fcntl(fd, F_SETFD, 0);
  }
  const int program = tail_base() == 0 ? -1 : make_program(work.program);
  if (program >= 0) {
    char name[] = "lade-runtime: init";
    char* arguments[] = {name, nullptr};
    char* environment[] = {nullptr};
    ::syscall(SYS_execveat, program, "", arguments, environment, AT_EMPTY_PATH);
    ::close(program);
  }
  run_tail_here(state);
}

void set_oom_score(ChildState& state) {
  const Plan& plan = *state.work.plan;
  if (plan.oom_score.empty()) return;
  const int result = write_file_at(state.work.proc_fd, "self/oom_score_adj", plan.oom_score);
  if (result < 0 && !plan.oom_score_may_fail) fail(state, result);
}

[[noreturn]] void run_init(ChildWork& work) {
  ChildState state{work};
  ::prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
  await_byte(work.sync_fd);  // the cgroup and the maps are there
  const Plan& plan = *work.plan;
  if (!plan.needs_intermediate) set_oom_score(state);
  if (plan.new_user_namespace && !plan.unshare_user) {
    if (const int result = become_namespace_root(plan); result < 0) fail(state, result);
    ::prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
  }
  ::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
  ::umask(0);
  state.root.proc_fd = work.proc_fd;
  state.root.has_mount_api = plan.has_mount_api;
  if (const int result = return_to_proc(work); result < 0) fail(state, result);
  for (const Step& step : plan.steps) {
    ++state.step;
    const int result = std::visit([&](const auto& one) { return perform(state, one); }, step);
    if (result < 0) fail(state, result);
  }
  finish(state);
}

// Joins what may be joined: some namespaces belong to the user namespace and are only open to its members.
int join_all(const ChildWork& work, bool mounts, std::uint64_t& joined) {
  int refused = 0;
  for (std::size_t i = 0; i < work.plan->joins.size(); ++i) {
    const NamespaceType type = work.plan->joins[i].type;
    if (type == NamespaceType::user || (type == NamespaceType::mount) != mounts || (joined >> i & 1) != 0)
      continue;
    const int result = setns_join(work, i);
    if (result == 0) joined |= std::uint64_t{1} << i;
    if (result < 0) refused = result;
  }
  return refused;
}

int enter_user_namespace(const ChildWork& work) {
  const Plan& plan = *work.plan;
  for (std::size_t i = 0; i < plan.joins.size(); ++i) {
    if (plan.joins[i].type != NamespaceType::user) continue;
    if (const int result = setns_join(work, i); result < 0) return result;
  }
  if (plan.unshare_user) {
    if (::unshare(CLONE_NEWUSER) < 0) return -errno;
    tell(work, ChildMessage::needs_maps);
    await_byte(work.sync_fd);
  }
  return plan.join_user || plan.unshare_user ? become_namespace_root(plan) : 0;
}

[[noreturn]] void run_intermediate(ChildWork& work) {
  ChildState state{work};
  const Plan& plan = *work.plan;
  ::prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
  await_byte(work.sync_fd);
  set_oom_score(state);
  if (!plan.unshare_user) ::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
  std::uint64_t joined = 0;
  join_all(work, false, joined);
  if (const int result = enter_user_namespace(work); result < 0) fail(state, result);
  ::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
  if (const int result = join_all(work, false, joined); result < 0) fail(state, result);
  if (plan.unshare_time) {
    if (::unshare(CLONE_NEWTIME) < 0) fail(state, errno);
    const int result =
        plan.time_offsets.empty() ? 0 : write_file_at(work.proc_fd, "self/timens_offsets", plan.time_offsets);
    if (result < 0) fail(state, result);
  }
  if (const int result = join_all(work, true, joined); result < 0) fail(state, result);
  const pid_t pid = raw_clone(work.clone_flags | CLONE_PARENT, nullptr);
  if (pid < 0) fail(state, -pid);
  if (pid == 0) run_init(work);
  tell(work, ChildMessage::started, 0, 0, pid);
  ::_exit(0);
}

}  // namespace

void reset_signals() {
  struct sigaction action {};
  action.sa_handler = SIG_DFL;
  constexpr int signals = 64;
  for (int i = 1; i <= signals; ++i) ::sigaction(i, &action, nullptr);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
}

pid_t raw_clone(std::uint64_t flags, int* pidfd, int cgroup_fd) {
  clone_args arguments{};
  arguments.flags = flags | (pidfd != nullptr ? CLONE_PIDFD : 0);
  if (cgroup_fd >= 0) {
    arguments.flags |= CLONE_INTO_CGROUP;
    arguments.cgroup = static_cast<std::uint64_t>(cgroup_fd);
  }
  arguments.pidfd = reinterpret_cast<std::uintptr_t>(pidfd);
  arguments.exit_signal = (flags & CLONE_PARENT) != 0 ? 0 : SIGCHLD;
  const auto pid = ::syscall(SYS_clone3, &arguments, sizeof arguments);
  return pid < 0 ? -errno : static_cast<pid_t>(pid);
}

void run_child(ChildWork& work, bool intermediate) {
  ChildState state{work};
  ::close(work.parent_fd);
  reset_signals();
  if (const int result = take_descriptors(work); result < 0) fail(state, result);
  if (intermediate) run_intermediate(work);
  run_init(work);
}

}  // namespace lade::runtime

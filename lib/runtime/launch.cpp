#include "runtime/launch.hpp"

#include <fmt/format.h>
#include <linux/capability.h>
#include <linux/mount.h>
#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/scope_exit.hpp"
#include "os/file.hpp"
#include "runtime/id_maps.hpp"
#include "runtime/names.hpp"
#include "runtime/seccomp_cache.hpp"

namespace lade::runtime {
namespace {

using os::UniqueFd;

constexpr std::size_t state_limit = 64 * 1024;  // of the JSON that hooks get

// Memory that the child shares.
class SharedText {
 public:
  SharedText()
      : at_(::mmap(nullptr, state_limit, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0)) {
    if (at_ == MAP_FAILED) throw Error::from_errno(errno, "mmap");
  }
  SharedText(const SharedText&) = delete;
  SharedText& operator=(const SharedText&) = delete;
  ~SharedText() { ::munmap(at_, state_limit); }

  char* text() const { return static_cast<char*>(at_); }
  void write(const std::string& state) {
    if (state.size() >= state_limit)
      throw Error(Kind::invalid_input, "annotations: they are too long for hooks");
    std::memcpy(text(), state.c_str(), state.size() + 1);
  }

 private:
  void* at_;
};

// A process that only holds a user namespace with these maps.
UniqueFd user_namespace_with(const SourceMount& source) {
  int hold[2];
  if (::pipe2(hold, O_CLOEXEC) < 0) throw Error::from_errno(errno, "pipe");
  const UniqueFd reader(hold[0]);
  UniqueFd writer(hold[1]);
  const pid_t pid = raw_clone(CLONE_NEWUSER, nullptr);
  if (pid < 0) throw Error::from_errno(-pid, "making a user namespace for an id-mapped mount");
  if (pid == 0) {
    ::close(hold[1]);
    char byte = 0;
    (void)!::read(hold[0], &byte, 1);
    ::_exit(0);
  }
  const ScopeExit end([&] {
    writer.reset();
    ::waitpid(pid, nullptr, 0);
  });
  write_id_maps_of_root(pid, source.uid_mappings, source.gid_mappings);
  return os::open_file(fmt::format("/proc/{}/ns/user", pid), O_RDONLY);
}

UniqueFd open_source(const SourceMount& source) {
  return in_context(
      [&] { return "mount of " + source.path; },
      [&] {
        const unsigned recursive = source.recursive ? AT_RECURSIVE : 0;
        UniqueFd tree(static_cast<int>(::syscall(SYS_open_tree, AT_FDCWD, source.path.c_str(),
                                                 OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | recursive)));
        if (!tree.is_open()) throw Error::from_errno(errno, "open_tree");
        if (!source.idmap) return tree;
        const UniqueFd user = user_namespace_with(source);
        mount_attr attributes{};
        attributes.attr_set = MOUNT_ATTR_IDMAP;
        attributes.userns_fd = static_cast<std::uint64_t>(user.get());
        const unsigned flags = AT_EMPTY_PATH | (source.idmap_recursive ? AT_RECURSIVE : 0);
        if (::syscall(SYS_mount_setattr, tree.get(), "", flags, &attributes, sizeof attributes) < 0)
          throw Error::from_errno(errno, "idmap");
        return tree;
      });
}

// One attempt to make a process; keeps all that is only needed until it is there.
class Launch {
 public:
  Launch(const Context& context, const LaunchRequest& request) : context_(context), request_(request) {
    const std::size_t own =
        std::max<std::size_t>(3 + request.streams.preserve_fds, 3 + request.streams.descriptors.size());
    constexpr std::size_t most = 1000;
    if (own > most) throw Error(Kind::invalid_input, "too many descriptors to preserve");
    first_free_ = static_cast<int>(own);
  }

  Launched run();

 private:
  // A copy above the numbers that the container's process gets.
  int keep(int fd) {
    UniqueFd copy(::fcntl(fd, F_DUPFD_CLOEXEC, first_free_));
    if (!copy.is_open()) throw Error::from_errno(errno, "dup");
    kept_.push_back(std::move(copy));
    return kept_.back().get();
  }
  int keep(UniqueFd fd) {
    if (fd.get() < first_free_) return keep(fd.get());
    kept_.push_back(std::move(fd));
    return kept_.back().get();
  }

  void open_descriptors();
  void make_tail();
  void make_hooks();
  void serve(Launched& launched);
  void handle(Launched& launched, const ChildMessage& message);
  void write_maps(pid_t pid);
  void write_states(pid_t pid);
  void go(const Launched& launched);

  const Context& context_;
  const LaunchRequest& request_;
  int first_free_ = 3;
  std::vector<UniqueFd> kept_{};
  ChildWork work_{};
  UniqueFd child_sync_{};
  int listener_ = -1;
  std::optional<SharedText> states_{};
  bool prepared_ = false;

 public:
  std::vector<std::string> tail_texts{};
};

Host host_of_container(const LaunchRequest& request) {
  Host host = *request.host;
  if (request.plan->new_user_namespace || request.plan->join_user) {
    host.capabilities = (std::uint64_t{2} << host.last_capability) - 1;
    host.initial_user_namespace = false;
  }
  return host;
}

[[noreturn]] void throw_failure(const Plan& plan, const ChildMessage& message) {
  const int error = message.error;
  const auto raise = [&](const std::string& what) {
    if (error > fault_link - 1) throw Error(Kind::invalid_input, what + ": " + describe_fault(error));
    throw Error::from_errno(error, what);
  };
  if (message.kind != ChildMessage::failed) raise("the container's process");
  if (message.step < 0) raise("preparing the container's namespaces");
  if (message.step >= static_cast<int>(plan.steps.size())) raise("startContainer hook");
  const Step& step = plan.steps[static_cast<std::size_t>(message.step)];
  if (const auto* program = std::get_if<step::FindProgram>(&step)) {
    const bool by_path = program->name.find('/') == std::string::npos;
    if (error == ENOENT)
      throw Error(Kind::not_found, fmt::format("executable file `{}` not found{}: no such file or directory",
                                               program->name, by_path ? " in $PATH" : ""));
    throw Error::from_errno(error, fmt::format("open executable `{}`", program->name));
  }
  raise(describe(step));
  throw Error(Kind::system, "unreachable");
}

[[noreturn]] void throw_report(const std::vector<std::string>& texts, const TailReport& report) {
  const auto stage = static_cast<std::size_t>(report.stage);
  throw Error::from_errno(report.error, stage < texts.size() ? texts[stage] : "starting the process");
}

void Launch::open_descriptors() {
  const Plan& plan = *request_.plan;
  for (const Join& join : plan.joins) {
    const UniqueFd fd =
        in_context([&] { return fmt::format("joining the {} namespace", to_string(join.type)); },
                   [&] { return os::open_file(join.path, O_RDONLY); });
    const auto is_type = ::ioctl(fd.get(), 0xb703 /* NS_GET_NSTYPE */);
    if (is_type < 0 || static_cast<std::uint64_t>(is_type) != clone_flag(join.type))
      throw Error(Kind::invalid_input,
                  fmt::format("linux.namespaces: {} is no {} namespace", join.path, to_string(join.type)));
    work_.join_fds.push_back(keep(fd.get()));
  }
  for (const SourceMount& source : plan.sources) work_.source_fds.push_back(keep(open_source(source)));
  const auto& streams = request_.streams;
  for (const int fd : streams.standard) work_.own_fds.push_back(keep(fd));
  for (unsigned i = 0; i < streams.preserve_fds; ++i) {
    if (::fcntl(static_cast<int>(3 + i), F_GETFD) < 0)
      throw Error(Kind::invalid_input,
                  fmt::format("descriptor {} is to be preserved, but is not open", 3 + i));
    work_.own_fds.push_back(keep(static_cast<int>(3 + i)));
  }
  for (const int fd : streams.descriptors) work_.own_fds.push_back(keep(fd));
  work_.proc_fd = keep(os::open_file("/proc", O_PATH | O_DIRECTORY));
  if (request_.console_fd >= 0) work_.console_fd = keep(request_.console_fd);
  if (request_.root_fd >= 0) work_.root_fd = keep(request_.root_fd);
}

void Launch::make_hooks() {
  for (const Hook& hook : request_.container_hooks) work_.container_hooks.push_back(make_hook_command(hook));
  for (const Hook& hook : request_.start_hooks) work_.start_hooks.push_back(make_hook_command(hook));
  if (work_.container_hooks.empty() && work_.start_hooks.empty()) return;
  states_.emplace();
  work_.hook_state = states_->text();
}

void Launch::make_tail() {
  static const Process nothing{};
  const Process& process = request_.process == nullptr ? nothing : *request_.process;
  TailOptions options;
  options.error_fd = work_.sync_fd;
  options.proc_fd = work_.proc_fd;
  options.death_signal = request_.death_signal;
  const Plan& plan = *request_.plan;
  options.setgroups_allowed = request_.host->setgroups_allowed;
  if (plan.new_user_namespace) options.setgroups_allowed = maps_allow_setgroups(*request_.host, plan);
  if (request_.waits && work_.start_hooks.empty()) {
    options.report_prepared = true;
    options.wait_fd = work_.wait_fd;
  }
  if (request_.seccomp != nullptr) {
    SeccompFilter filter = cached_seccomp(request_.filter_cache, *request_.seccomp);
    options.seccomp = std::move(filter.program);
    options.seccomp_flags = filter.flags;
    if (filter.notifies) {
      if (request_.seccomp->listener_path.empty())
        throw Error(Kind::invalid_input,
                    "linux.seccomp.listenerPath: is missing, but SCMP_ACT_NOTIFY needs it");
      options.listener_socket = listener_ =
          keep(connect_socket(request_.seccomp->listener_path, SOCK_STREAM));
      options.listener_message = request_.state ? request_.state(0, "creating") : "{}";
    }
  }
  const auto candidates =
      request_.process == nullptr ? std::vector<std::string>() : program_candidates(process);
  std::vector<std::string> warnings;
  const ProcessTail tail =
      plan_tail(process, request_.personality, host_of_container(request_), candidates, options, warnings);
  for (const std::string& warning : warnings) context_.log.warning(warning);
  const std::uint64_t base = tail_base();
  const auto placed = tail.tail.place(base, work_.sync_fd);
  for (const Tail::Offset candidate : tail.candidates)
    work_.candidates.push_back(tail.tail.address_of(candidate, placed, base));
  tail_texts = tail.tail.texts();
  work_.path_position = tail_data_offset() + tail.tail.argument_position(tail.tail.last_call(), 0);
  work_.program = tail_program(placed);
}

void Launch::write_maps(pid_t pid) {
  const Plan& plan = *request_.plan;
  write_id_maps(context_, *request_.host, pid, plan.uid_mappings, plan.gid_mappings);
}

void Launch::write_states(pid_t pid) {
  if (!states_) return;
  states_->write(request_.state(pid, "created"));
}

void Launch::go(const Launched& launched) {
  const char byte = 1;
  if (::send(launched.sync.get(), &byte, 1, MSG_NOSIGNAL) < 0 && errno != EPIPE)
    throw Error::from_errno(errno, "send");
}

void Launch::handle(Launched& launched, const ChildMessage& message) {
  switch (message.kind) {
    case ChildMessage::needs_maps: write_maps(launched.pid); return go(launched);
    case ChildMessage::started:
      ::waitpid(launched.pid, nullptr, 0);  // the one in between
      launched.pid = message.pid;
      launched.pidfd.reset(static_cast<int>(::syscall(SYS_pidfd_open, message.pid, 0)));
      if (!launched.pidfd.is_open()) throw Error::from_errno(errno, "pidfd_open");
      write_states(launched.pid);
      return go(launched);
    case ChildMessage::at_hooks: request_.runtime_hooks(launched.pid); return go(launched);
    case ChildMessage::prepared: prepared_ = true; return;
    default: throw_failure(*request_.plan, message);
  }
}

// The next message: false at the end, when the process has executed its program or is gone.
bool receive(const Context& context, int sync, int stop, ChildMessage& message,
             std::optional<TailReport>& report) {
  pollfd watched[2] = {{sync, POLLIN, 0}, {stop, POLLIN, 0}};
  while (::poll(watched, 2, -1) < 0) {
    if (errno != EINTR) throw Error::from_errno(errno, "poll");
  }
  if ((watched[0].revents & POLLIN) == 0 && watched[1].revents != 0) context.throw_if_stopped();
  char buffer[sizeof(ChildMessage)];
  const auto got = ::recv(sync, buffer, sizeof buffer, 0);
  if (got == static_cast<ssize_t>(sizeof message)) {
    std::memcpy(&message, buffer, sizeof message);
    return true;
  }
  if (got == static_cast<ssize_t>(sizeof(TailReport))) {
    std::memcpy(&report.emplace(), buffer, sizeof(TailReport));
    return true;
  }
  return false;
}

void Launch::serve(Launched& launched) {
  const StopEvent stop(context_);
  while (!prepared_) {
    ChildMessage message;
    std::optional<TailReport> report;
    if (!receive(context_, launched.sync.get(), stop.fd(), message, report)) {
      if (!request_.waits) return;
      throw Error(Kind::system, "the container's process ended before it was ready");
    }
    if (report) throw_report(tail_texts, *report);
    handle(launched, message);
  }
}

Launched Launch::run() {
  const Plan& plan = *request_.plan;
  open_descriptors();
  int pair[2];
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
    throw Error::from_errno(errno, "socketpair");
  Launched launched;
  launched.sync = UniqueFd(pair[0]);
  {
    const UniqueFd other(pair[1]);
    child_sync_ = UniqueFd(::fcntl(other.get(), F_DUPFD_CLOEXEC, first_free_));
    if (!child_sync_.is_open()) throw Error::from_errno(errno, "dup");
  }
  work_.plan = &plan;
  work_.sync_fd = child_sync_.get();
  work_.parent_fd = launched.sync.get();
  work_.wait_fd = request_.wait_fd >= 0 ? keep(request_.wait_fd) : work_.sync_fd;
  work_.clone_flags = plan.clone_flags;
  make_hooks();
  make_tail();
  int pidfd = -1;
  const std::uint64_t flags = plan.needs_intermediate ? 0 : plan.clone_flags;
  bool began = request_.cgroup_fd >= 0;
  launched.pid = raw_clone(flags, &pidfd, request_.cgroup_fd);
  if (launched.pid < 0 && began) {  // it has groups below it, or may not be entered from here
    began = false;
    launched.pid = raw_clone(flags, &pidfd);
  }
  if (launched.pid == 0) run_child(work_, plan.needs_intermediate);
  if (launched.pid < 0) throw Error::from_errno(-launched.pid, "making the container's namespaces");
  launched.pidfd = UniqueFd(pidfd);
  child_sync_.reset();
  ScopeExit kill([&] {
    ::kill(launched.pid, SIGKILL);
    while (::waitpid(launched.pid, nullptr, 0) < 0 && errno == EINTR) {
    }
  });
  if (request_.place) request_.place(launched.pid, began);
  if (plan.new_user_namespace && !plan.needs_intermediate) write_maps(launched.pid);
  if (!plan.needs_intermediate) write_states(launched.pid);
  go(launched);
  serve(launched);
  kill.release();
  return launched;
}

}  // namespace

StopEvent::StopEvent(const Context& context)
    : fd_(::eventfd(0, EFD_CLOEXEC)), callback_(context.stop, [fd = fd_.get()] {
        const std::uint64_t one = 1;
        (void)!::write(fd, &one, sizeof one);
      }) {
  if (!fd_.is_open()) throw Error::from_errno(errno, "eventfd");
}

UniqueFd connect_socket(const std::string& path, int type) {
  return in_context(
      [&] { return "connecting to " + path; },
      [&] {
        UniqueFd fd(::socket(AF_UNIX, type | SOCK_CLOEXEC, 0));
        if (!fd.is_open()) throw Error::from_errno(errno, "socket");
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        std::string name = path;
        UniqueFd found;
        if (name.size() >= sizeof address.sun_path) {
          found = os::open_file(path, O_PATH);
          name = fmt::format("/proc/self/fd/{}", found.get());
        }
        std::memcpy(address.sun_path, name.c_str(), name.size() + 1);
        if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) < 0)
          throw Error::from_errno(errno, "connect");
        return fd;
      });
}

Launched launch(const Context& context, const LaunchRequest& request) {
  return Launch(context, request).run();
}

void release(const Context& context, const LaunchRequest& request, Launched& launched) {
  const char byte = 1;
  if (::send(launched.sync.get(), &byte, 1, MSG_NOSIGNAL) < 0)
    throw Error::from_errno(errno, "starting the container");
  const StopEvent stop(context);
  ChildMessage message;
  std::optional<TailReport> report;
  if (!receive(context, launched.sync.get(), stop.fd(), message, report)) return;
  if (report) throw_report({}, *report);
  throw_failure(*request.plan, message);
}

}  // namespace lade::runtime

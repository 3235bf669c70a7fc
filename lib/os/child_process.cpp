#include "os/child_process.hpp"

#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <string_view>

#include "os/file.hpp"
#include "os/unique_fd.hpp"

namespace lade::os {

namespace {

using Clock = std::chrono::steady_clock;

// How often the child is looked at where the kernel has no pidfd_open(2) (before Linux 5.3).
constexpr std::chrono::milliseconds look_again{20};

std::vector<std::string> own_environment() {
  std::vector<std::string> result;
  for (char** entry = environ; entry && *entry; ++entry) result.emplace_back(*entry);
  return result;
}

std::string_view value_in(const std::vector<std::string>& environment, std::string_view name) {
  for (const std::string_view entry : environment)
    if (entry.starts_with(name) && entry.substr(name.size()).starts_with('='))
      return entry.substr(name.size() + 1);
  return "";
}

// A file in memory: unlike a pipe it never blocks the writer, and raises no SIGPIPE.
UniqueFd input_file(const std::string& text) {
  UniqueFd fd(::memfd_create("input", MFD_CLOEXEC));
  if (!fd.is_open()) throw Error::from_errno(errno, "memfd_create");
  write_all(fd, io::as_bytes(text));
  if (::lseek(fd.get(), 0, SEEK_SET) != 0) throw Error::from_errno(errno, "lseek");
  return fd;
}

struct Pipe {
  UniqueFd read, write;
};

Pipe make_pipe() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) throw Error::from_errno(errno, "pipe");
  Pipe result{UniqueFd(ends[0]), UniqueFd(ends[1])};
  if (::fcntl(ends[0], F_SETFL, O_NONBLOCK) != 0) throw Error::from_errno(errno, "fcntl");
  return result;
}

std::vector<char*> pointers_to(const std::vector<std::string>& texts) {
  std::vector<char*> result;
  for (const auto& text : texts) result.push_back(const_cast<char*>(text.c_str()));
  result.push_back(nullptr);
  return result;
}

void check(int code, std::string_view what) {
  if (code != 0) throw Error::from_errno(code, what);
}

// What posix_spawn(3) is told: the three descriptors, and default signal handling.
class SpawnSetup {
 public:
  SpawnSetup(int in, int out, int err) {
    check(::posix_spawn_file_actions_init(&actions_), "posix_spawn");
    check(::posix_spawnattr_init(&attributes_), "posix_spawn");
    const std::array<int, 3> from{in, out, err};
    for (int i = 0; i < 3; ++i)
      check(::posix_spawn_file_actions_adddup2(&actions_, from[i], i), "posix_spawn");
    sigset_t none, defaults;
    ::sigemptyset(&none);
    ::sigemptyset(&defaults);
    for (const int number : {SIGPIPE, SIGINT, SIGTERM, SIGHUP}) ::sigaddset(&defaults, number);
    check(::posix_spawnattr_setsigmask(&attributes_, &none), "posix_spawn");
    check(::posix_spawnattr_setsigdefault(&attributes_, &defaults), "posix_spawn");
    check(::posix_spawnattr_setflags(&attributes_, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF),
          "posix_spawn");
  }
  SpawnSetup(const SpawnSetup&) = delete;
  SpawnSetup& operator=(const SpawnSetup&) = delete;
  ~SpawnSetup() {
    ::posix_spawn_file_actions_destroy(&actions_);
    ::posix_spawnattr_destroy(&attributes_);
  }
  const posix_spawn_file_actions_t* actions() const { return &actions_; }
  const posix_spawnattr_t* attributes() const { return &attributes_; }

 private:
  posix_spawn_file_actions_t actions_{};
  posix_spawnattr_t attributes_{};
};

// Killed and reaped at the end of its life unless it was reaped before.
class Child {
 public:
  explicit Child(pid_t pid) : pid_(pid), watch_(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0))) {}
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  ~Child() {
    if (pid_ == 0) return;
    ::kill(pid_, SIGKILL);
    while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) continue;
  }

  // Becomes readable when the child ends; not open where the kernel cannot do that.
  const UniqueFd& watch() const { return watch_; }

  // The exit status, once there is one.
  std::optional<int> try_reap() {
    int status = 0;
    const pid_t ended = ::waitpid(pid_, &status, WNOHANG);
    if (ended < 0 && errno != EINTR) throw Error::from_errno(errno, "waitpid");
    if (ended != pid_) return std::nullopt;
    pid_ = 0;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }

 private:
  pid_t pid_;
  UniqueFd watch_;
};

Child spawn(const ChildOptions& options, int in, int out, int err) {
  const auto variables = options.environment ? *options.environment : own_environment();
  // posix_spawnp(3) would search our own PATH instead of the child's.
  const auto& name = options.arguments.at(0);
  const auto program = find_program(name, value_in(variables, "PATH"));
  if (!program) throw Error(Kind::not_found, "exec: \"" + name + "\": executable file not found in $PATH");
  const SpawnSetup setup(in, out, err);
  pid_t pid = 0;
  check(::posix_spawn(&pid, program->c_str(), setup.actions(), setup.attributes(),
                      pointers_to(options.arguments).data(), pointers_to(variables).data()),
        "exec " + *program);
  return Child(pid);
}

// Appends what can be read now, and closes the descriptor at its end.
void drain_available(UniqueFd& fd, std::string& text, const ChildOptions& options) {
  std::array<char, 4096> buffer;
  while (fd.is_open()) {
    const ssize_t count = ::read(fd.get(), buffer.data(), buffer.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0 && errno == EAGAIN) return;
    if (count < 0) throw Error::from_errno(errno, "read from " + options.arguments.front());
    if (count == 0) fd.reset();
    text.append(buffer.data(), static_cast<std::size_t>(count));
    if (text.size() > options.output_limit)
      throw Error(Kind::invalid_input, options.arguments.front() + ": writes more than " +
                                           std::to_string(options.output_limit) + " bytes");
  }
}

// Returns when something may have happened: output, the end of the child, a request to stop, the deadline.
void wait_for_event(std::array<pollfd, 4> events, Clock::time_point deadline, bool can_watch) {
  using std::chrono::milliseconds;
  auto left = std::chrono::ceil<milliseconds>(deadline - Clock::now());
  if (!can_watch) left = std::min(left, look_again);
  const auto timeout = std::clamp(left, milliseconds(0), milliseconds(3'600'000));
  ::poll(events.data(), events.size(), static_cast<int>(timeout.count()));
}

}  // namespace

std::optional<std::string> find_program(const std::string& name, std::string_view path) {
  if (name.find('/') != std::string::npos) return name;
  while (!path.empty()) {
    const auto end = std::min(path.find(':'), path.size());
    const std::string candidate = std::string(path.substr(0, end)) + "/" + name;
    if (end > 0 && ::access(candidate.c_str(), X_OK) == 0) return candidate;
    path.remove_prefix(std::min(end + 1, path.size()));
  }
  return std::nullopt;
}

ChildResult run_child(const Context& context, const ChildOptions& options) {
  context.throw_if_stopped();
  const UniqueFd input = input_file(options.input);
  Pipe out = make_pipe(), err = make_pipe();
  const UniqueFd stop(::eventfd(0, EFD_CLOEXEC));
  if (!stop.is_open()) throw Error::from_errno(errno, "eventfd");

  const auto deadline = Clock::now() + options.timeout;
  Child child = spawn(options, input.get(), out.write.get(), err.write.get());
  out.write.reset();
  err.write.reset();
  const std::stop_callback wake(context.stop, [&] { ::eventfd_write(stop.get(), 1); });

  ChildResult result;
  const auto drain = [&] {
    drain_available(out.read, result.out, options);
    drain_available(err.read, result.err, options);
  };
  while (true) {
    const auto status = child.try_reap();
    // After the end, a grandchild may still hold the pipes: what is there now is all that is waited for.
    drain();
    if (status) {
      result.status = *status;
      return result;
    }
    context.throw_if_stopped();
    if (Clock::now() >= deadline)
      throw Error(Kind::unavailable, options.arguments.front() + ": timed out after " +
                                         std::to_string(options.timeout.count()) + " ms");
    wait_for_event({pollfd{out.read.get(), POLLIN, 0}, pollfd{err.read.get(), POLLIN, 0},
                    pollfd{stop.get(), POLLIN, 0}, pollfd{child.watch().get(), POLLIN, 0}},
                   deadline, child.watch().is_open());
  }
}

}  // namespace lade::os

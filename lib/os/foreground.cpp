#include "os/foreground.hpp"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "base/error.hpp"
#include "os/child_process.hpp"
#include "os/unique_fd.hpp"

namespace lade::os {

namespace {

constexpr std::array handed_on = {SIGINT, SIGQUIT, SIGTERM, SIGHUP};

// What execve(2) takes.
class Execution {
 public:
  explicit Execution(const ForegroundProgram& program) : name_(program.arguments.at(0)) {
    const char* path = std::getenv("PATH");
    auto found = find_program(name_, path == nullptr ? "" : path);
    if (!found) throw Error(Kind::not_found, "exec: \"" + name_ + "\": executable file not found in $PATH");
    path_ = *std::move(found);
    for (const auto& text : program.arguments) arguments_.push_back(const_cast<char*>(text.c_str()));
    for (const auto& text : program.environment) environment_.push_back(const_cast<char*>(text.c_str()));
    arguments_.push_back(nullptr);
    environment_.push_back(nullptr);
  }

  // Safe after fork(2). The errno.
  int run() const noexcept {
    for (const int number : handed_on) to_default(number);
    to_default(SIGPIPE);
    sigset_t none;
    ::sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
    ::execve(path_.c_str(), arguments_.data(), environment_.data());
    return errno;
  }

  [[noreturn]] void refuse(int code) const { throw Error::from_errno(code, "fork/exec " + path_); }

 private:
  // What nohup asked to ignore stays so; SIGPIPE is ignored by ourselves.
  static void to_default(int number) noexcept {
    struct sigaction action = {};
    ::sigaction(number, nullptr, &action);
    if (action.sa_handler == SIG_IGN && number != SIGPIPE) return;
    action = {};
    action.sa_handler = SIG_DFL;
    ::sigaction(number, &action, nullptr);
  }

  std::string name_, path_;
  std::vector<char*> arguments_, environment_;
};

// A signal handler can reach nothing but these.
std::atomic<pid_t> foreground_child = 0;
std::atomic<int> early_signal = 0;  // came before there was a child
static_assert(std::atomic<pid_t>::is_always_lock_free);

extern "C" void hand_on(int number, siginfo_t* info, void*) {
  const pid_t child = foreground_child;
  const int saved = errno;
  // The terminal sends its signals to the child as well.
  if (info->si_code != SI_KERNEL) {
    if (child > 0)
      ::kill(child, number);
    else
      early_signal = number;
  }
  errno = saved;
}

class HandedOnSignals {
 public:
  HandedOnSignals() {
    early_signal = 0;
    for (std::size_t i = 0; i < handed_on.size(); ++i) {
      ::sigaction(handed_on[i], nullptr, &before_[i]);
      if (before_[i].sa_handler == SIG_IGN) continue;
      struct sigaction action = {};
      action.sa_sigaction = hand_on;
      action.sa_flags = SA_RESTART | SA_SIGINFO;
      ::sigaction(handed_on[i], &action, nullptr);
    }
  }
  HandedOnSignals(const HandedOnSignals&) = delete;
  HandedOnSignals& operator=(const HandedOnSignals&) = delete;
  ~HandedOnSignals() {
    foreground_child = 0;
    for (std::size_t i = 0; i < handed_on.size(); ++i) ::sigaction(handed_on[i], &before_[i], nullptr);
  }

 private:
  std::array<struct sigaction, handed_on.size()> before_{};
};

[[noreturn]] void run_child_side(const Execution& execution, pid_t parent, int report) noexcept {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  // It may have ended before.
  if (::getppid() != parent) ::_exit(1);
  const int code = execution.run();
  [[maybe_unused]] const ssize_t ignored = ::write(report, &code, sizeof code);
  ::_exit(127);
}

}  // namespace

void become_program(const ForegroundProgram& program) {
  const Execution execution(program);
  execution.refuse(execution.run());
}

int run_in_foreground(const ForegroundProgram& program) {
  const Execution execution(program);
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) throw Error::from_errno(errno, "pipe");
  const UniqueFd read_end(ends[0]);
  UniqueFd write_end(ends[1]);
  const HandedOnSignals handed_on_signals;
  const pid_t parent = ::getpid();
  const pid_t child = ::fork();
  if (child < 0) throw Error::from_errno(errno, "fork");
  if (child == 0) run_child_side(execution, parent, ends[1]);
  foreground_child = child;
  if (const int number = early_signal.exchange(0); number != 0) ::kill(child, number);
  write_end.reset();
  int status = 0, code = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) continue;
  foreground_child = 0;
  if (::read(read_end.get(), &code, sizeof code) == sizeof code) execution.refuse(code);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

}  // namespace lade::os

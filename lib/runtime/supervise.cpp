#include "runtime/supervise.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "runtime/launch.hpp"

namespace lade::runtime {
namespace {

ExitStatus reap(pid_t pid) {
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0) {
    if (errno != EINTR) throw Error::from_errno(errno, "waitpid");
  }
  ExitStatus exit;
  if (WIFSIGNALED(status))
    exit.signal = WTERMSIG(status);
  else
    exit.code = WEXITSTATUS(status);
  return exit;
}

// The terminal of this process in raw mode as long as it lives.
class RawTerminal {
 public:
  explicit RawTerminal(int fd) : fd_(fd), is_terminal_(::tcgetattr(fd, &before_) == 0) {
    if (!is_terminal_) return;
    termios raw = before_;
    ::cfmakeraw(&raw);
    ::tcsetattr(fd_, TCSANOW, &raw);
  }
  ~RawTerminal() {
    if (is_terminal_) ::tcsetattr(fd_, TCSANOW, &before_);
  }
  RawTerminal(const RawTerminal&) = delete;
  RawTerminal& operator=(const RawTerminal&) = delete;

 private:
  int fd_;
  termios before_{};
  bool is_terminal_;
};

// false at the end of `from`.
bool pass_on(int from, int to) {
  char buffer[4096];
  const auto got = ::read(from, buffer, sizeof buffer);
  if (got < 0 && (errno == EINTR || errno == EAGAIN)) return true;
  if (got <= 0) return false;
  for (ssize_t done = 0; done < got;) {
    const auto written = ::write(to, buffer + done, static_cast<std::size_t>(got - done));
    if (written < 0 && errno != EINTR) return false;
    if (written > 0) done += written;
  }
  return true;
}

class Supervisor {
 public:
  Supervisor(const Context& context, const Supervision& what) : what_(what), stop_(context) {}

  ExitStatus run() {
    std::optional<RawTerminal> raw;
    if (what_.master >= 0) {
      raw.emplace(what_.standard[0]);
      copy_size();
    }
    while (!step()) {
    }
    if (what_.master >= 0) drain();
    const ExitStatus exit = reap(what_.pid);
    if (stopping_) throw Cancelled();
    return exit;
  }

 private:
  enum Slot { process, signals, stop, master, input, slots };

  bool step() {
    pollfd watched[slots] = {{what_.pidfd, POLLIN, 0},
                             {what_.signals == nullptr ? -1 : what_.signals->fd(), POLLIN, 0},
                             {stopping_ ? -1 : stop_.fd(), POLLIN, 0},
                             {master_open_ ? what_.master : -1, POLLIN, 0},
                             {what_.master >= 0 && input_open_ ? what_.standard[0] : -1, POLLIN, 0}};
    const int ready = ::poll(watched, slots, timeout());
    if (ready < 0 && errno != EINTR) throw Error::from_errno(errno, "poll");
    if (ready < 0) return false;
    if (ready == 0) send(SIGKILL);
    if (watched[signals].revents != 0) pass_signal(what_.signals->take());
    if (watched[stop].revents != 0) begin_stop();
    if (watched[master].revents != 0) master_open_ = pass_on(what_.master, what_.standard[1]);
    if (watched[input].revents != 0 && !pass_on(what_.standard[0], what_.master)) end_input();
    return watched[process].revents != 0;
  }

  int timeout() const {
    if (!stopping_ || killed_) return -1;
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(deadline_ - std::chrono::steady_clock::now());
    return static_cast<int>(std::max<std::int64_t>(left.count(), 0));
  }

  void begin_stop() {
    stopping_ = true;
    deadline_ = std::chrono::steady_clock::now() + what_.stop_grace;
    send(what_.stop_signal);
  }

  void send(int signal) {
    killed_ = killed_ || signal == SIGKILL;
    ::syscall(SYS_pidfd_send_signal, what_.pidfd, signal, nullptr, 0);
  }

  void pass_signal(int signal) {
    if (signal == SIGWINCH && what_.master >= 0) return copy_size();
    if (signal != 0 && signal != SIGCHLD) send(signal);
  }

  void copy_size() {
    winsize size{};
    if (::ioctl(what_.standard[0], TIOCGWINSZ, &size) == 0) ::ioctl(what_.master, TIOCSWINSZ, &size);
  }

  // The end of the input is what a person types for it.
  void end_input() {
    input_open_ = false;
    const char end_of_file = 4;
    (void)!::write(what_.master, &end_of_file, 1);
  }

  void drain() {
    pollfd watched{what_.master, POLLIN, 0};
    while (master_open_ && ::poll(&watched, 1, 0) > 0 && (watched.revents & POLLIN) != 0)
      master_open_ = pass_on(what_.master, what_.standard[1]);
  }

  const Supervision& what_;
  StopEvent stop_;
  bool stopping_ = false, killed_ = false, master_open_ = true, input_open_ = true;
  std::chrono::steady_clock::time_point deadline_{};
};

sigset_t tapped_signals() {
  sigset_t set;
  ::sigfillset(&set);
  for (const int signal : {SIGCHLD, SIGKILL, SIGSTOP, SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP,
                           SIGSYS, SIGURG, SIGTTIN, SIGTTOU, SIGTSTP, SIGPIPE, SIGPROF})
    ::sigdelset(&set, signal);
  return set;
}

}  // namespace

SignalTap::SignalTap() {
  const sigset_t set = tapped_signals();
  if (::pthread_sigmask(SIG_BLOCK, &set, &before_) != 0) throw Error(Kind::system, "pthread_sigmask");
  fd_ = os::UniqueFd(::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!fd_.is_open()) {
    ::pthread_sigmask(SIG_SETMASK, &before_, nullptr);
    throw Error::from_errno(errno, "signalfd");
  }
}

SignalTap::~SignalTap() {
  ::pthread_sigmask(SIG_SETMASK, &before_, nullptr);
}

int SignalTap::take() const {
  signalfd_siginfo info{};
  const auto got = ::read(fd_.get(), &info, sizeof info);
  return got == static_cast<ssize_t>(sizeof info) ? static_cast<int>(info.ssi_signo) : 0;
}

ExitStatus supervise(const Context& context, const Supervision& what) {
  return Supervisor(context, what).run();
}

os::UniqueFd receive_master(int socket) {
  char name[256];
  iovec part{name, sizeof name};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))]{};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  while (::recvmsg(socket, &message, MSG_CMSG_CLOEXEC) < 0) {
    if (errno != EINTR) throw Error::from_errno(errno, "receiving the terminal");
  }
  const cmsghdr* rights = CMSG_FIRSTHDR(&message);
  if (rights == nullptr || rights->cmsg_type != SCM_RIGHTS) throw Error(Kind::system, "no terminal was sent");
  int fd = -1;
  std::memcpy(&fd, CMSG_DATA(rights), sizeof fd);
  return os::UniqueFd(fd);
}

}  // namespace lade::runtime

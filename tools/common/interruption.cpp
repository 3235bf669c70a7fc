#include "common/interruption.hpp"

#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>

#include "base/error.hpp"
#include "common/output.hpp"

namespace lade::common {
namespace {

// A signal handler can reach nothing but these.
std::atomic<int> first_signal = 0;
std::atomic<int> handler_fd = -1;
static_assert(std::atomic<int>::is_always_lock_free);

void wake(int fd) {
  const std::uint64_t one = 1;
  const int saved = errno;
  [[maybe_unused]] const ssize_t ignored = ::write(fd, &one, sizeof one);
  errno = saved;
}

extern "C" void on_signal(int number) {
  int none = 0;
  if (!first_signal.compare_exchange_strong(none, number)) _exit(128 + number);
  wake(handler_fd);
}

void handle(int number, void (*handler)(int)) {
  struct sigaction action = {};
  action.sa_handler = handler;
  action.sa_flags = SA_RESTART;
  sigaction(number, &action, nullptr);
}

// What nohup, or a shell for its background, has asked to ignore stays ignored.
bool is_ignored(int number) {
  struct sigaction action = {};
  return sigaction(number, nullptr, &action) == 0 && action.sa_handler == SIG_IGN;
}

constexpr auto patience = std::chrono::seconds(5);

constexpr int stop_signals[] = {SIGINT, SIGTERM, SIGHUP};

}  // namespace

Interruption::Interruption(std::optional<std::chrono::nanoseconds> timeout)
    : wake_fd_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  if (wake_fd_ < 0) throw Error::from_errno(errno, "eventfd");
  first_signal = 0;
  handler_fd = wake_fd_;
  watcher_ = std::thread([this, timeout] { watch(timeout); });
  for (const int number : stop_signals) {
    if (!is_ignored(number)) handle(number, on_signal);
  }
  handle(SIGPIPE, SIG_IGN);
}

Interruption::~Interruption() {
  for (const int number : stop_signals) {
    if (!is_ignored(number)) handle(number, SIG_DFL);
  }
  handler_fd = -1;
  over_ = true;
  wake(wake_fd_);
  watcher_.join();
  close(wake_fd_);
}

int Interruption::signal() const {
  return first_signal;
}

// Ends when the destructor says so.
void Interruption::watch(std::optional<std::chrono::nanoseconds> timeout) {
  const bool woken = wait_for_wake(timeout);
  if (over_) return;
  timed_out_ = !woken;
  source_.request_stop();
  if (over_ || wait_for_wake(patience)) return;
  // Something waits that cannot be woken, such as a read from a pipe. What is on disk is whole at any time.
  if (timed_out_) write_best_effort(2, "context deadline exceeded\n");
  _exit(timed_out_ ? 1 : 128 + first_signal);
}

// False if nothing woke it in time.
bool Interruption::wait_for_wake(std::optional<std::chrono::nanoseconds> timeout) const {
  const auto deadline = std::chrono::steady_clock::now() + timeout.value_or(std::chrono::nanoseconds(0));
  pollfd waiting = {wake_fd_, POLLIN, 0};
  for (;;) {
    int milliseconds = -1;
    if (timeout) {
      const auto left =
          std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
      if (left.count() <= 0) return false;
      milliseconds = static_cast<int>(std::min<std::int64_t>(left.count(), 60'000));
    }
    if (poll(&waiting, 1, milliseconds) > 0) {
      std::uint64_t count = 0;
      [[maybe_unused]] const ssize_t ignored = ::read(wake_fd_, &count, sizeof count);
      return true;
    }
  }
}

}  // namespace lade::common

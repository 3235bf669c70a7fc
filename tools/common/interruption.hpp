// Signals and --command-timeout become a request to stop.
#pragma once

#include <atomic>
#include <chrono>
#include <optional>
#include <stop_token>
#include <thread>

namespace lade::common {

// At most one at a time: signal handlers belong to the process. The first SIGINT, SIGTERM or SIGHUP requests
// stop; the second, or five seconds without an end, end the process at once with 128 + the signal's number. A
// signal that is ignored stays so. SIGPIPE is ignored from then on.
class Interruption {
 public:
  explicit Interruption(std::optional<std::chrono::nanoseconds> timeout);
  Interruption(const Interruption&) = delete;
  Interruption& operator=(const Interruption&) = delete;
  ~Interruption();

  std::stop_token token() const { return source_.get_token(); }
  // The first signal that came; 0: none.
  int signal() const;
  bool timed_out() const { return timed_out_; }

 private:
  void watch(std::optional<std::chrono::nanoseconds> timeout);
  bool wait_for_wake(std::optional<std::chrono::nanoseconds> timeout) const;

  std::stop_source source_;
  std::atomic<bool> timed_out_ = false;
  std::atomic<bool> over_ = false;
  int wake_fd_;
  std::thread watcher_;
};

}  // namespace lade::common

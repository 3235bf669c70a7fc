#include "base/context.hpp"

#include <condition_variable>
#include <mutex>

namespace lade {

namespace {

class RealClock final : public Clock {
 public:
  std::chrono::system_clock::time_point now() const override { return std::chrono::system_clock::now(); }
  std::chrono::steady_clock::time_point steady() const override { return std::chrono::steady_clock::now(); }
  void sleep(std::chrono::milliseconds duration, std::stop_token stop) const override {
    std::mutex mutex;
    std::condition_variable_any condition;
    std::unique_lock lock(mutex);
    condition.wait_for(lock, stop, duration, [] { return false; });
    if (stop.stop_requested()) throw Cancelled();
  }
};

class NullLogger final : public Logger {
 public:
  bool enabled(Level) const noexcept override { return false; }
  void log(Level, std::string_view) noexcept override {}
};

class SilentTransfer final : public Transfer {
 public:
  void advance(std::uint64_t) noexcept override {}
  void finish(Outcome) noexcept override {}
};

class SilentProgress final : public Progress {
 public:
  void step(std::string_view) override {}
  std::unique_ptr<Transfer> start(std::string_view, std::string_view, std::optional<std::uint64_t>) override {
    return std::make_unique<SilentTransfer>();
  }
};

}  // namespace

const Clock& real_clock() {
  static const RealClock clock;
  return clock;
}

Logger& null_logger() {
  static NullLogger logger;
  return logger;
}

Progress& silent_progress() {
  static SilentProgress progress;
  return progress;
}

Context background() {
  return {{}, null_logger(), silent_progress(), real_clock()};
}

}  // namespace lade

// What every long operation is handed: how to stop, where to log, how to show progress, what time it is.
#pragma once

#include <chrono>
#include <stop_token>
#include <string_view>

#include "base/error.hpp"
#include "base/progress.hpp"

namespace lade {

enum class Level { debug, info, warning, error };

// Thread-safe.
class Logger {
 public:
  virtual ~Logger() = default;
  virtual bool enabled(Level level) const noexcept = 0;
  virtual void log(Level level, std::string_view message) noexcept = 0;

  void debug(std::string_view message) noexcept { log(Level::debug, message); }
  void info(std::string_view message) noexcept { log(Level::info, message); }
  void warning(std::string_view message) noexcept { log(Level::warning, message); }
};

class Clock {
 public:
  virtual ~Clock() = default;
  virtual std::chrono::system_clock::time_point now() const = 0;
  virtual std::chrono::steady_clock::time_point steady() const = 0;
  // Returns early, by throwing Cancelled, when stop is requested.
  virtual void sleep(std::chrono::milliseconds duration, std::stop_token stop) const = 0;
};

const Clock& real_clock();
Logger& null_logger();

// A bundle of references; copy it freely. A derived context with another stop token cancels a part.
struct Context {
  std::stop_token stop;
  Logger& log;
  Progress& progress;
  const Clock& clock;

  void throw_if_stopped() const {
    if (stop.stop_requested()) throw Cancelled();
  }
  Context with_stop(std::stop_token token) const { return {std::move(token), log, progress, clock}; }
};

// No stop, no log, no progress, the real clock: for tests and small tools.
Context background();

}  // namespace lade

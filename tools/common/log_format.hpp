// Lines on standard error in the text format of Go's logrus, which scripts match.
#pragma once

#include <chrono>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "base/context.hpp"
#include "base/sync.hpp"

namespace lade::common {

enum class LogStyle {
  plain,     // time="2026-11-21T09:01:24Z" level=fatal msg="..."
  terminal,  // FATA[0000] ...
  coloured,
};

// Key and value, shown after the message in the order of the keys.
using LogField = std::pair<std::string, std::string>;

// `level` is "debug", "info", "warning", "error" or "fatal". Ends with a newline.
std::string format_log_line(LogStyle style, std::chrono::system_clock::time_point now,
                            std::chrono::seconds since_start, std::string_view level,
                            std::string_view message, std::span<const LogField> fields = {});

class LogrusLogger final : public Logger {
 public:
  LogrusLogger(int fd, LogStyle style, Level threshold);

  bool enabled(Level level) const noexcept override { return level >= threshold_; }
  void log(Level level, std::string_view message) noexcept override { log(level, message, {}); }
  void log(Level level, std::string_view message, std::span<const LogField> fields) noexcept;
  // The last words of a program that fails.
  void fatal(std::string_view message) noexcept;

  // While something else draws on the terminal it takes the lines; an empty function gives them back.
  using LineSink = std::function<void(std::string_view line)>;
  void redirect(LineSink sink);

 private:
  void emit(std::string_view level, std::string_view message, std::span<const LogField> fields = {}) noexcept;

  int fd_;
  LogStyle style_;
  Level threshold_;
  std::chrono::steady_clock::time_point start_;
  Sync<LineSink> sink_;
};

// For a terminal: coloured, or terminal when NO_COLOR is set (no-color.org) or TERM is "dumb"; else plain.
LogStyle choose_log_style(int fd);

}  // namespace lade::common

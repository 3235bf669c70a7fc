#include "common/log_format.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>

#include "common/go_text.hpp"
#include "common/output.hpp"

namespace lade::common {
namespace {

std::string_view name_of(Level level) {
  switch (level) {
    case Level::debug: return "debug";
    case Level::info: return "info";
    case Level::warning: return "warning";
    case Level::error: return "error";
  }
  return "info";
}

int colour_of(std::string_view level) {
  if (level == "debug") return 37;
  if (level == "info") return 36;
  return level == "warning" ? 33 : 31;
}

std::string short_level(std::string_view level) {
  std::string out(level.substr(0, 4));
  std::transform(out.begin(), out.end(), out.begin(),
                 [](char c) { return static_cast<char>(c - 'a' + 'A'); });
  return out;
}

std::string quote_if_needed(std::string_view text) {
  const bool bare = std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("-._/@^+").find(c) != std::string_view::npos;
  });
  return bare ? std::string(text) : quote(text);
}

std::string format_fields(std::span<const LogField> fields) {
  std::vector<LogField> sorted(fields.begin(), fields.end());
  std::sort(sorted.begin(), sorted.end());
  std::string text;
  for (const auto& [key, value] : sorted) text += fmt::format(" {}={}", key, quote_if_needed(value));
  return text;
}

constexpr int message_width = 44;  // on a terminal, where fields follow

}  // namespace

std::string format_log_line(LogStyle style, std::chrono::system_clock::time_point now,
                            std::chrono::seconds since_start, std::string_view level,
                            std::string_view message, std::span<const LogField> fields) {
  const std::string tail = format_fields(fields);
  if (style == LogStyle::plain) {
    return fmt::format("time={} level={} msg={}{}\n", quote_if_needed(format_local_time(now)), level,
                       quote_if_needed(message), tail);
  }
  while (message.ends_with('\n')) message.remove_suffix(1);
  const std::string stamp = fmt::format("[{:04}]", since_start.count());
  const std::string line =
      tail.empty() ? std::string(message) : fmt::format("{:<{}}{}", message, message_width, tail);
  if (style == LogStyle::terminal) return fmt::format("{}{} {}\n", short_level(level), stamp, line);
  return fmt::format("\x1b[{}m{}\x1b[0m{} {}\n", colour_of(level), short_level(level), stamp, line);
}

LogrusLogger::LogrusLogger(int fd, LogStyle style, Level threshold)
    : fd_(fd), style_(style), threshold_(threshold), start_(std::chrono::steady_clock::now()) {}

void LogrusLogger::log(Level level, std::string_view message, std::span<const LogField> fields) noexcept {
  if (enabled(level)) emit(name_of(level), message, fields);
}

void LogrusLogger::fatal(std::string_view message) noexcept {
  emit("fatal", message);
}

void LogrusLogger::redirect(LineSink sink) {
  *sink_.lock() = std::move(sink);
}

void LogrusLogger::emit(std::string_view level, std::string_view message,
                        std::span<const LogField> fields) noexcept {
  const auto age =
      std::chrono::duration_cast<std::chrono::seconds>(std::chrono::steady_clock::now() - start_);
  const std::string line =
      format_log_line(style_, std::chrono::system_clock::now(), age, level, message, fields);
  auto sink = sink_.lock();
  if (*sink) {
    (*sink)(line);
  } else {
    write_best_effort(fd_, line);
  }
}

LogStyle choose_log_style(int fd) {
  if (isatty(fd) != 1) return LogStyle::plain;
  const char* no_colour = std::getenv("NO_COLOR");
  const char* term = std::getenv("TERM");
  const bool dumb = term == nullptr || std::string_view(term) == "dumb";
  return dumb || (no_colour != nullptr && *no_colour != '\0') ? LogStyle::terminal : LogStyle::coloured;
}

}  // namespace lade::common

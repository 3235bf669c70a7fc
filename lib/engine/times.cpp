#include "engine/times.hpp"

#include <fmt/format.h>

#include <cmath>
#include <cstdlib>

#include "base/error.hpp"
#include "spec/time.hpp"

namespace lade::engine {
namespace {

using std::chrono::nanoseconds;

constexpr std::size_t seconds_end = 19;  // "2006-01-02T15:04:05"

int digits_at(std::string_view text, std::size_t at, std::size_t count) {
  int value = 0;
  for (const char c : text.substr(at, count)) value = value * 10 + (c - '0');
  return value;
}

nanoseconds fraction_of(std::string_view digits) {
  std::int64_t value = 0;
  for (std::size_t i = 0; i < 9; ++i) value = value * 10 + (i < digits.size() ? digits[i] - '0' : 0);
  return nanoseconds(value);
}

struct Unit {
  std::string_view name;
  double seconds;
};

// As Go's time.ParseDuration.
std::optional<nanoseconds> parse_span(std::string_view text) {
  static constexpr Unit units[] = {{"ns", 1e-9}, {"us", 1e-6}, {"ms", 1e-3},
                                   {"h", 3600},  {"m", 60},    {"s", 1}};
  if (text == "0") return nanoseconds(0);
  if (text.empty()) return std::nullopt;
  double total = 0;
  while (!text.empty()) {
    const std::size_t number_end = text.find_first_not_of("0123456789.");
    if (number_end == 0 || number_end == std::string_view::npos) return std::nullopt;
    const std::string number(text.substr(0, number_end));
    if (number == "." || number.find('.') != number.rfind('.')) return std::nullopt;
    const double value = std::strtod(number.c_str(), nullptr);
    text.remove_prefix(number_end);
    const Unit* found = nullptr;
    for (const Unit& unit : units) {
      if (text.starts_with(unit.name) && (found == nullptr || unit.name.size() > found->name.size()))
        found = &unit;
    }
    if (found == nullptr) return std::nullopt;
    total += value * found->seconds;
    text.remove_prefix(found->name.size());
  }
  if (total > 9e9) return std::nullopt;
  return nanoseconds(static_cast<std::int64_t>(total * 1e9));
}

std::string rounded(double value, int digits) {
  return fmt::format("{:.{}g}", value, digits);
}

}  // namespace

std::optional<Instant> parse_time(std::string_view rfc3339) {
  const auto normal = spec::normalize_time(rfc3339);
  if (!normal) return std::nullopt;
  const std::string_view text = *normal;
  const std::chrono::year_month_day day(std::chrono::year(digits_at(text, 0, 4)),
                                        std::chrono::month(static_cast<unsigned>(digits_at(text, 5, 2))),
                                        std::chrono::day(static_cast<unsigned>(digits_at(text, 8, 2))));
  auto seconds = std::chrono::sys_seconds(std::chrono::sys_days(day)) +
                 std::chrono::hours(digits_at(text, 11, 2)) + std::chrono::minutes(digits_at(text, 14, 2)) +
                 std::chrono::seconds(digits_at(text, 17, 2));
  std::size_t zone = seconds_end;
  nanoseconds fraction{0};
  if (text[zone] == '.') {
    zone = text.find_first_not_of("0123456789", seconds_end + 1);
    fraction = fraction_of(text.substr(seconds_end + 1, zone - seconds_end - 1));
  }
  if (text[zone] != 'Z') {
    const auto offset =
        std::chrono::hours(digits_at(text, zone + 1, 2)) + std::chrono::minutes(digits_at(text, zone + 4, 2));
    seconds -= text[zone] == '-' ? -offset : offset;
  }
  // Years that 64 bits of nanoseconds cannot hold are no times of images.
  if (day.year() < std::chrono::year(1700) || day.year() > std::chrono::year(2250)) return std::nullopt;
  return Instant(seconds) + fraction;
}

Instant time_or_epoch(std::string_view rfc3339) {
  return parse_time(rfc3339).value_or(Instant{});
}

Instant parse_until(std::string_view text, Instant now) {
  if (const auto span = parse_span(text)) return now - *span;
  if (const auto time = parse_time(text)) return *time;
  if (text.size() == 10)
    if (const auto date = parse_time(std::string(text) + "T00:00:00Z")) return *date;
  if (text.size() == seconds_end)
    if (const auto local = parse_time(std::string(text) + "Z")) return *local;
  if (!text.empty() && text.size() < 11 && text.find_first_not_of("0123456789") == std::string_view::npos)
    return Instant(std::chrono::seconds(std::atoll(std::string(text).c_str())));
  throw Error(Kind::invalid_input, fmt::format("failed to parse value as time or duration: \"{}\"", text));
}

std::string human_duration(nanoseconds duration) {
  const double all = std::chrono::duration<double>(duration).count();
  const auto seconds = static_cast<std::int64_t>(all);
  const auto minutes = seconds / 60;
  const auto hours = static_cast<std::int64_t>(std::round(all / 3600));
  if (seconds < 1) return "Less than a second";
  if (seconds == 1) return "1 second";
  if (seconds < 60) return fmt::format("{} seconds", seconds);
  if (minutes == 1) return "About a minute";
  if (minutes < 60) return fmt::format("{} minutes", minutes);
  if (hours == 1) return "About an hour";
  if (hours < 48) return fmt::format("{} hours", hours);
  if (hours < 24 * 7 * 2) return fmt::format("{} days", hours / 24);
  if (hours < 24 * 30 * 2) return fmt::format("{} weeks", hours / 24 / 7);
  if (hours < 24 * 365 * 2) return fmt::format("{} months", hours / 24 / 30);
  return fmt::format("{} years", static_cast<std::int64_t>(all / 3600) / 24 / 365);
}

std::string human_size(double bytes, std::string_view between, int digits) {
  static constexpr std::string_view units[] = {"B", "kB", "MB", "GB", "TB", "PB", "EB"};
  std::size_t unit = 0;
  while (bytes >= 1000 && unit + 1 < std::size(units)) {
    bytes /= 1000;
    ++unit;
  }
  return fmt::format("{}{}{}", rounded(bytes, digits), between, units[unit]);
}

}  // namespace lade::engine

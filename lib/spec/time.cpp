#include "spec/time.hpp"

#include <algorithm>
#include <ctime>

#include "base/error.hpp"

namespace lade::spec {

namespace {

bool is_time_digit(char c) {
  return c >= '0' && c <= '9';
}

// Two or four digits at `position` with a value from low to high.
bool has_number(std::string_view text, std::size_t position, std::size_t digits, int low, int high) {
  if (text.size() < position + digits) return false;
  const std::string_view number = text.substr(position, digits);
  if (!std::all_of(number.begin(), number.end(), is_time_digit)) return false;
  const int value = std::stoi(std::string(number));
  return low <= value && value <= high;
}

bool has_char(std::string_view text, std::size_t position, char c) {
  return position < text.size() && text[position] == c;
}

int days_in_month(int year, int month) {
  if (month == 2) return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0 ? 29 : 28;
  return month == 4 || month == 6 || month == 9 || month == 11 ? 30 : 31;
}

// "2006-01-02T15:04:05"
bool is_date_and_time(std::string_view text) {
  if (!has_number(text, 0, 4, 0, 9999) || !has_char(text, 4, '-') || !has_number(text, 5, 2, 1, 12) ||
      !has_char(text, 7, '-') || !has_char(text, 10, 'T'))
    return false;
  const int days =
      days_in_month(std::stoi(std::string(text.substr(0, 4))), std::stoi(std::string(text.substr(5, 2))));
  return has_number(text, 8, 2, 1, days) && has_number(text, 11, 2, 0, 23) && has_char(text, 13, ':') &&
         has_number(text, 14, 2, 0, 59) && has_char(text, 16, ':') && has_number(text, 17, 2, 0, 59);
}

// "Z" or "+07:00"
bool is_offset(std::string_view text) {
  if (text == "Z") return true;
  return text.size() == 6 && (text[0] == '+' || text[0] == '-') && has_number(text, 1, 2, 0, 23) &&
         text[3] == ':' && has_number(text, 4, 2, 0, 59);
}

}  // namespace

std::optional<std::string> normalize_time(std::string_view rfc3339) {
  constexpr std::size_t seconds_end = 19, nanosecond_digits = 9;
  if (!is_date_and_time(rfc3339)) return std::nullopt;
  std::string time(rfc3339.substr(0, seconds_end));
  std::string_view rest = rfc3339.substr(seconds_end);
  if (has_char(rest, 0, '.')) {
    const auto end = std::find_if_not(rest.begin() + 1, rest.end(), is_time_digit);
    std::string fraction(rest.begin(), end);
    if (fraction.size() == 1) return std::nullopt;
    rest.remove_prefix(fraction.size());
    fraction.resize(std::min(fraction.size(), 1 + nanosecond_digits));
    fraction.erase(fraction.find_last_not_of('0') + 1);
    if (fraction != ".") time += fraction;
  }
  if (!is_offset(rest)) return std::nullopt;
  const bool is_utc = rest == "Z" || rest.substr(1) == "00:00";
  return time.append(is_utc ? "Z" : rest);
}

std::string time_or_zero(std::string_view rfc3339) {
  if (rfc3339.empty()) return std::string(zero_time);
  const auto time = normalize_time(rfc3339);
  if (!time) throw Error(Kind::invalid_input, "created is not a time of RFC 3339");
  return *time;
}

std::string format_time(std::int64_t seconds, std::uint32_t nanoseconds) {
  const std::time_t time = seconds;
  std::tm utc{};
  ::gmtime_r(&time, &utc);
  char text[32];
  std::string result(text, std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &utc));
  if (nanoseconds != 0) {
    std::string digits = std::to_string(nanoseconds);
    digits.insert(0, 9 - digits.size(), '0');
    result += "." + digits.substr(0, digits.find_last_not_of('0') + 1);
  }
  return result + "Z";
}

}  // namespace lade::spec

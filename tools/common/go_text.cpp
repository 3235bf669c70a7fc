#include "common/go_text.hpp"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <cmath>
#include <ctime>
#include <limits>
#include <optional>

#include "base/error.hpp"

namespace lade::common {
namespace {

[[noreturn]] void refuse(std::string_view function, std::string_view text, std::string_view why) {
  throw Error(Kind::invalid_input, fmt::format("strconv.{}: parsing {}: {}", function, quote(text), why));
}

bool is_printable(char32_t c) {
  if (c < 0x20 || (c >= 0x7f && c < 0xa1) || c == 0xad) return false;
  const bool separator = c == 0x2028 || c == 0x2029 || (c >= 0x2000 && c <= 0x200f) || c == 0x3000;
  const bool special = c == 0xfeff || (c >= 0xe000 && c <= 0xf8ff) || c >= 0xe0000;
  return !separator && !special;
}

void append_escaped(std::string& out, char32_t c) {
  switch (c) {
    case '\a': out += "\\a"; return;
    case '\b': out += "\\b"; return;
    case '\f': out += "\\f"; return;
    case '\n': out += "\\n"; return;
    case '\r': out += "\\r"; return;
    case '\t': out += "\\t"; return;
    case '\v': out += "\\v"; return;
    default: break;
  }
  if (c < 0x20 || c == 0x7f) {
    out += fmt::format("\\x{:02x}", static_cast<unsigned>(c));
  } else if (c < 0x10000) {
    out += fmt::format("\\u{:04x}", static_cast<unsigned>(c));
  } else {
    out += fmt::format("\\U{:08x}", static_cast<unsigned>(c));
  }
}

// Digits with Go's base prefixes and underscores; nullopt: not a number.
struct Digits {
  std::string text;
  int base = 10;
};

std::optional<Digits> split_base(std::string_view text) {
  Digits digits;
  if (text.size() > 1 && text[0] == '0') {
    const char prefix = static_cast<char>(text[1] | 0x20);
    digits.base = prefix == 'x' ? 16 : prefix == 'b' ? 2 : 8;
    text.remove_prefix(prefix == 'x' || prefix == 'b' || prefix == 'o' ? 2 : 1);
  }
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '_') {
      digits.text += text[i];
    } else if (i + 1 == text.size() || text[i + 1] == '_') {
      return std::nullopt;
    }
  }
  if (digits.text.empty()) return std::nullopt;
  return digits;
}

std::uint64_t parse_magnitude(std::string_view function, std::string_view whole,
                              std::string_view digits_text) {
  const auto digits = split_base(digits_text);
  if (!digits) refuse(function, whole, "invalid syntax");
  std::uint64_t value = 0;
  const char* end = digits->text.data() + digits->text.size();
  const auto [at, error] = std::from_chars(digits->text.data(), end, value, digits->base);
  if (error == std::errc::result_out_of_range && at == end) refuse(function, whole, "value out of range");
  if (error != std::errc() || at != end) refuse(function, whole, "invalid syntax");
  return value;
}

struct Unit {
  std::string_view name;
  double nanoseconds;
};
constexpr std::array units = {Unit{"ns", 1},   Unit{"us", 1e3}, Unit{"µs", 1e3}, Unit{"μs", 1e3},
                              Unit{"ms", 1e6}, Unit{"s", 1e9},  Unit{"m", 60e9}, Unit{"h", 3600e9}};

std::string trim_fraction(std::string text) {
  while (text.back() == '0') text.pop_back();
  if (text.back() == '.') text.pop_back();
  return text;
}

}  // namespace

CodePoint decode_utf8(std::string_view text, std::size_t position) {
  const auto byte = [&](std::size_t i) -> unsigned {
    return position + i < text.size() ? static_cast<unsigned char>(text[position + i]) : 0;
  };
  const unsigned first = byte(0);
  if (first < 0x80) return {first, 1};
  const std::size_t length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4) return {0xfffd, 1};
  char32_t value = first & (0xffu >> (length + 1));
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return {0xfffd, 1};
    value = (value << 6) | (byte(i) & 0x3f);
  }
  const bool overlong = (length == 3 && value < 0x800) || (length == 4 && value < 0x10000);
  if (overlong || value > 0x10ffff || (value >= 0xd800 && value < 0xe000)) return {0xfffd, 1};
  return {value, length};
}

void append_utf8(std::string& out, char32_t c) {
  if (c < 0x80) {
    out += static_cast<char>(c);
  } else if (c < 0x800) {
    out += static_cast<char>(0xc0 | (c >> 6));
    out += static_cast<char>(0x80 | (c & 0x3f));
  } else if (c < 0x10000) {
    out += static_cast<char>(0xe0 | (c >> 12));
    out += static_cast<char>(0x80 | ((c >> 6) & 0x3f));
    out += static_cast<char>(0x80 | (c & 0x3f));
  } else {
    out += static_cast<char>(0xf0 | (c >> 18));
    out += static_cast<char>(0x80 | ((c >> 12) & 0x3f));
    out += static_cast<char>(0x80 | ((c >> 6) & 0x3f));
    out += static_cast<char>(0x80 | (c & 0x3f));
  }
}

std::string quote(std::string_view text) {
  std::string out = "\"";
  for (std::size_t i = 0; i < text.size();) {
    const auto [c, length] = decode_utf8(text, i);
    if (c == 0xfffd && length == 1) {
      out += fmt::format("\\x{:02x}", static_cast<unsigned char>(text[i]));
    } else if (c == '"' || c == '\\') {
      out += '\\';
      out += static_cast<char>(c);
    } else if (is_printable(c)) {
      out += text.substr(i, length);
    } else {
      append_escaped(out, c);
    }
    i += length;
  }
  return out += '"';
}

bool parse_bool(std::string_view text) {
  for (const std::string_view yes : {"1", "t", "T", "true", "TRUE", "True"}) {
    if (text == yes) return true;
  }
  for (const std::string_view no : {"0", "f", "F", "false", "FALSE", "False"}) {
    if (text == no) return false;
  }
  refuse("ParseBool", text, "invalid syntax");
}

std::int64_t parse_int(std::string_view text) {
  const bool negative = text.starts_with('-');
  const std::string_view digits = text.substr(negative || text.starts_with('+') ? 1 : 0);
  const std::uint64_t magnitude = parse_magnitude("ParseInt", text, digits);
  const std::uint64_t limit = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  if (magnitude > limit + (negative ? 1 : 0)) refuse("ParseInt", text, "value out of range");
  return negative ? static_cast<std::int64_t>(0 - magnitude) : static_cast<std::int64_t>(magnitude);
}

std::uint64_t parse_uint(std::string_view text) {
  return parse_magnitude("ParseUint", text, text);
}

std::chrono::nanoseconds parse_duration(std::string_view text) {
  const auto refuse_duration = [&](const std::string& why) {
    throw Error(Kind::invalid_input, fmt::format("time: {} {}", why, quote(text)));
  };
  const bool negative = text.starts_with('-');
  std::string_view rest = text.substr(negative || text.starts_with('+') ? 1 : 0);
  if (rest == "0") return {};
  if (rest.empty()) refuse_duration("invalid duration");
  double total = 0;
  while (!rest.empty()) {
    double number = 0;
    const auto [at, error] =
        std::from_chars(rest.data(), rest.data() + rest.size(), number, std::chars_format::fixed);
    if (error != std::errc() || rest[0] == '-' || rest[0] == 'i' || rest[0] == 'n')
      refuse_duration("invalid duration");
    rest.remove_prefix(static_cast<std::size_t>(at - rest.data()));
    const std::string_view name = rest.substr(0, rest.find_first_of("0123456789."));
    if (name.empty()) refuse_duration("missing unit in duration");
    double scale = 0;
    for (const Unit& unit : units) {
      if (unit.name == name) scale = unit.nanoseconds;
    }
    if (scale == 0) refuse_duration(fmt::format("unknown unit {} in duration", quote(name)));
    total += number * scale;
    rest.remove_prefix(name.size());
  }
  if (total >= 9.2e18) refuse_duration("invalid duration");
  return std::chrono::nanoseconds(std::llround(negative ? -total : total));
}

std::uint64_t parse_size(std::string_view text) {
  const auto refuse_size = [&] {
    throw Error(Kind::invalid_input, fmt::format("invalid size: {}", quote(text)));
  };
  std::uint64_t value = 0;
  const auto [at, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc()) refuse_size();
  std::string unit;
  for (const char c : text.substr(static_cast<std::size_t>(at - text.data()))) {
    unit += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  }
  if (unit.empty() || unit == "b") return value;
  constexpr std::string_view letters = "kmgt";
  const std::size_t power = letters.find(unit[0]);
  const std::string_view rest = std::string_view(unit).substr(1);
  if (power == std::string_view::npos || !(rest.empty() || rest == "b" || rest == "ib")) refuse_size();
  const std::uint64_t base = rest == "b" ? 1000 : 1024;
  for (std::size_t i = 0; i <= power; ++i) {
    if (value > std::numeric_limits<std::uint64_t>::max() / base) refuse_size();
    value *= base;
  }
  return value;
}

std::string format_duration(std::chrono::nanoseconds duration) {
  const bool negative = duration.count() < 0;
  const auto ns = static_cast<std::uint64_t>(negative ? -duration.count() : duration.count());
  const std::string sign = negative ? "-" : "";
  if (ns == 0) return "0s";
  if (ns < 1'000) return fmt::format("{}{}ns", sign, ns);
  if (ns < 1'000'000) return sign + trim_fraction(fmt::format("{}.{:03}", ns / 1'000, ns % 1'000)) + "µs";
  if (ns < 1'000'000'000)
    return sign + trim_fraction(fmt::format("{}.{:06}", ns / 1'000'000, ns % 1'000'000)) + "ms";
  const std::uint64_t seconds = ns / 1'000'000'000;
  const std::string tail = trim_fraction(fmt::format("{}.{:09}", seconds % 60, ns % 1'000'000'000)) + "s";
  if (seconds < 60) return sign + tail;
  if (seconds < 3600) return fmt::format("{}{}m{}", sign, seconds / 60, tail);
  return fmt::format("{}{}h{}m{}", sign, seconds / 3600, seconds / 60 % 60, tail);
}

std::string format_local_time(std::chrono::system_clock::time_point time) {
  const std::time_t seconds = std::chrono::system_clock::to_time_t(time);
  std::tm local{};
  if (localtime_r(&seconds, &local) == nullptr) return "";
  const long offset = local.tm_gmtoff;
  std::string out = fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}", local.tm_year + 1900, local.tm_mon + 1,
                                local.tm_mday, local.tm_hour, local.tm_min, local.tm_sec);
  if (offset == 0) return out + "Z";
  const long minutes = std::labs(offset) / 60;
  return out + fmt::format("{}{:02}:{:02}", offset < 0 ? '-' : '+', minutes / 60, minutes % 60);
}

std::string show_time(std::string_view text) {
  const auto is_shaped = [&] {
    constexpr std::string_view shape = "dddd-dd-ddTdd:dd:dd";
    if (text.size() <= shape.size()) return false;
    for (std::size_t i = 0; i < shape.size(); ++i) {
      const bool digit = text[i] >= '0' && text[i] <= '9';
      if (shape[i] == 'd' ? !digit : text[i] != shape[i]) return false;
    }
    return true;
  };
  if (!is_shaped()) return "0001-01-01 00:00:00 +0000 UTC";
  std::string moment = fmt::format("{} {}", text.substr(0, 10), text.substr(11, 8));
  const std::size_t zone_at = text.find_first_of("Zz+-", 19);
  if (zone_at == std::string_view::npos) return "0001-01-01 00:00:00 +0000 UTC";
  const std::string_view fraction = text.substr(19, zone_at - 19);
  if (fraction.size() > 1) moment += trim_fraction(std::string(fraction));
  const std::string_view zone = text.substr(zone_at);
  if (zone.size() != 6 || zone.substr(1) == "00:00") return moment + " +0000 UTC";
  const std::string offset = fmt::format("{}{}", zone.substr(0, 3), zone.substr(4));
  return fmt::format("{} {} {}", moment, offset, offset);
}

}  // namespace lade::common

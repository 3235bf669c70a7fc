// Values as Go's standard library reads and writes them: the peers are Go programs, and scripts match their
// texts.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace lade::common {

// strconv.Quote: double quotes, escapes for quotes, backslashes, control characters and invalid UTF-8.
std::string quote(std::string_view text);

// strconv.ParseBool, ParseInt(s, 0, 64), ParseUint(s, 0, 64) and time.ParseDuration.
// Kind::invalid_input with Go's words, such as `strconv.ParseBool: parsing "x": invalid syntax`.
bool parse_bool(std::string_view text);
std::int64_t parse_int(std::string_view text);
std::uint64_t parse_uint(std::string_view text);
std::chrono::nanoseconds parse_duration(std::string_view text);

// Bytes: a whole number, then nothing, "B", K/M/G/T or
// KiB... (powers of 1024) or KB... (powers of 1000); letters in any case. Kind::invalid_input "invalid size".
std::uint64_t parse_size(std::string_view text);

// time.Duration's String: "1h2m3.5s", "250ms", "0s".
std::string format_duration(std::chrono::nanoseconds duration);

// RFC 3339 to the second, in the local time zone: "2026-11-21T09:01:24Z", "2026-11-21T10:01:24+01:00".
std::string format_local_time(std::chrono::system_clock::time_point time);

// The RFC 3339 time `text` as time.Time's String shows it: "2026-11-21 09:01:50.2 +0000 UTC";
// "0001-01-01 00:00:00 +0000 UTC" for "" and for text that is not a time.
std::string show_time(std::string_view text);

// One code point of UTF-8 at `position`, and how many bytes it takes. Invalid: U+FFFD and 1.
struct CodePoint {
  char32_t value;
  std::size_t length;
};
CodePoint decode_utf8(std::string_view text, std::size_t position);
void append_utf8(std::string& out, char32_t value);

}  // namespace lade::common

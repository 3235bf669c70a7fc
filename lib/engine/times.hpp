// Times of images as engines compare and show them.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace lade::engine {

using Instant = std::chrono::sys_time<std::chrono::nanoseconds>;

// RFC 3339; nullopt for what is no time.
std::optional<Instant> parse_time(std::string_view rfc3339);
// The same; the beginning of the year 1 counts as 1970 for what is none.
Instant time_or_epoch(std::string_view rfc3339);

// A value of --filter until=: a time, a date, seconds since 1970, or a duration before `now` such as "1h30m".
// Kind::invalid_input `failed to parse value as time or duration: "X"`.
Instant parse_until(std::string_view text, Instant now);

// "3 minutes", "About an hour", "2 weeks", as engines show ages.
std::string human_duration(std::chrono::nanoseconds duration);

// Powers of 1000, three or `digits` significant digits: "13.4kB" with "" between, "13.4 kB" with " ".
std::string human_size(double bytes, std::string_view between, int digits);

}  // namespace lade::engine

// Times in image documents.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace lade::spec {

// A time of RFC 3339 as Go writes it again (time.RFC3339Nano): the fraction cut to nanoseconds and without
// trailing zeros, "Z" for an offset of zero. nullopt if it is no valid time.
std::optional<std::string> normalize_time(std::string_view rfc3339);

// A moment in UTC, seconds and nanoseconds after 1970, in the same form.
std::string format_time(std::int64_t seconds, std::uint32_t nanoseconds = 0);

// What Go writes for a time that was never set.
inline constexpr std::string_view zero_time = "0001-01-01T00:00:00Z";

// normalize_time; zero_time for "", and Kind::invalid_input for what is no time.
std::string time_or_zero(std::string_view rfc3339);

}  // namespace lade::spec

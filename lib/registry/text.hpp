// Small helpers for the words of HTTP: case-blind names, percent-encoding, dates.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace lade::registry {

// RFC 9110 section 5.6.2: tchar.
bool is_token_char(char c);

std::string lower_case(std::string_view text);
bool equals_ignoring_case(std::string_view a, std::string_view b);
// Without leading and trailing spaces and tabs.
std::string_view trim(std::string_view text);

// Everything but RFC 3986's unreserved characters becomes %XX; fit for a query value and a form field.
std::string percent_encode(std::string_view text);
// "name=value&..." for a query or an application/x-www-form-urlencoded body.
void append_parameter(std::string& query, std::string_view name, std::string_view value);
// `target` with "?name=value" or "&name=value" added.
std::string with_parameter(std::string_view target, std::string_view name, std::string_view value);

// In double quotes, with control characters, quotes and backslashes escaped as Go's %q does for ASCII.
std::string quote(std::string_view text);

// Decimal digits only; nullopt for anything else and for numbers beyond 64 bits.
std::optional<std::uint64_t> parse_number(std::string_view text);

// RFC 9110 section 5.6.7, the preferred form: "Sun, 06 Nov 1994 08:49:37 GMT".
std::optional<std::chrono::system_clock::time_point> parse_http_date(std::string_view text);
// RFC 3339; fractions of a second are dropped.
std::optional<std::chrono::system_clock::time_point> parse_rfc3339(std::string_view text);

}  // namespace lade::registry

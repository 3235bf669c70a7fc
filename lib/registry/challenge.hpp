// WWW-Authenticate (RFC 9110 section 11.6.1): which schemes a registry accepts, and where its tokens come
// from.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace lade::registry {

struct Challenge {
  std::string scheme;  // lower case
  // Names in lower case, values unquoted, in their order.
  std::vector<std::pair<std::string, std::string>> parameters;

  // "" if absent.
  std::string_view parameter(std::string_view name) const;
  bool operator==(const Challenge&) const = default;
};

// The challenges of all header lines, in order. Several may share a line. Reading stops at the first thing
// that is not a challenge; what came before it stands. At most 16 challenges, 32 parameters each, 16 KiB a
// line.
std::vector<Challenge> parse_challenges(std::span<const std::string_view> header_values);

}  // namespace lade::registry

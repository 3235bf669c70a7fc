#include "build/ulimits.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "base/error.hpp"

namespace lade::build {

namespace {

constexpr std::array<std::string_view, 16> resources = {
    "as",   "core",   "cpu",   "data", "fsize",  "locks",  "memlock",    "msgqueue",
    "nice", "nofile", "nproc", "rss",  "rtprio", "rttime", "sigpending", "stack"};

std::uint64_t limit_value(const std::string& text) {
  if (text == "-1" || text == "unlimited") return UINT64_MAX;
  std::uint64_t value = 0;
  const auto result = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || result.ec != std::errc() || result.ptr != text.data() + text.size())
    throw Error(Kind::invalid_input, fmt::format("\"{}\" is no limit", text));
  return value;
}

}  // namespace

Ulimit parse_ulimit(const std::string& text) {
  return in_context(
      [&] { return fmt::format("ulimit option \"{}\" requires name=SOFT:HARD, failed to be parsed", text); },
      [&] {
        const auto equals = text.find('=');
        if (equals == std::string::npos) throw Error(Kind::invalid_input, "invalid ulimit argument: " + text);
        const std::string name = text.substr(0, equals);
        if (std::ranges::find(resources, name) == resources.end())
          throw Error(Kind::invalid_input, "invalid ulimit type: " + name);
        const std::string values = text.substr(equals + 1);
        const auto colon = values.find(':');
        Ulimit limit;
        limit.resource = "RLIMIT_" + name;
        std::ranges::transform(limit.resource, limit.resource.begin(),
                               [](unsigned char c) { return std::toupper(c); });
        limit.soft = limit_value(values.substr(0, colon));
        limit.hard = colon == std::string::npos ? limit.soft : limit_value(values.substr(colon + 1));
        if (limit.soft > limit.hard)
          throw Error(Kind::invalid_input,
                      fmt::format("ulimit soft limit must be less than or equal to hard limit: {} > {}",
                                  limit.soft, limit.hard));
        return limit;
      });
}

}  // namespace lade::build

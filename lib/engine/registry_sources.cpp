#include "engine/registry_sources.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.hpp"
#include "spec/json.hpp"

namespace lade::engine {

RegistrySources RegistrySources::parse(const std::string& text) {
  RegistrySources result;
  if (text.empty()) return result;
  return in_context([&] { return fmt::format("parsing $BUILD_REGISTRY_SOURCES (\"{}\") as JSON", text); },
                    [&] {
                      constexpr std::string_view what = "registry sources";
                      const auto json = spec::parse_json(text, what);
                      const auto list = [&](const char* name) {
                        return spec::strings_member(json, name, what).value_or(std::vector<std::string>());
                      };
                      result.blocked_ = list("blockedRegistries");
                      result.allowed_ = list("allowedRegistries");
                      result.insecure_ = list("insecureRegistries");
                      return result;
                    });
}

void RegistrySources::require_allowed(std::string_view subject, const std::string& domain) const {
  if (std::ranges::find(blocked_, domain) != blocked_.end())
    throw Error(Kind::denied, fmt::format("{} \"{}\" denied by policy: it is in the blocked registries list",
                                          subject, domain));
  if (!allowed_.empty() && std::ranges::find(allowed_, domain) == allowed_.end())
    throw Error(Kind::denied,
                fmt::format("{} \"{}\" denied by policy: not in allowed registries list", subject, domain));
}

bool RegistrySources::is_insecure(const std::string& domain) const {
  return std::ranges::find(insecure_, domain) != insecure_.end();
}

}  // namespace lade::engine

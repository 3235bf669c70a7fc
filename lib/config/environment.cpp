#include "config/environment.hpp"

#include <pwd.h>
#include <unistd.h>

#include <charconv>

#include "os/user_namespace.hpp"

namespace lade::config {

namespace {

// What podman and buildah set after re-executing themselves in a user namespace, where everyone is root. It is
// believed only there: nobody's variables make root use another store than root's.
uid_t outer_uid(const Environment& environment, bool in_user_namespace) {
  if (!in_user_namespace) return ::geteuid();
  const std::string text = environment.get("_CONTAINERS_ROOTLESS_UID");
  uid_t uid = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), uid);
  const bool valid = !text.empty() && error == std::errc() && end == text.data() + text.size();
  return valid ? uid : ::geteuid();
}

std::filesystem::path home_of(const Environment& environment) {
  if (auto home = environment.get("HOME"); !home.empty()) return home;
  const passwd* entry = ::getpwuid(environment.uid);
  return entry && entry->pw_dir ? entry->pw_dir : "";
}

std::filesystem::path xdg_directory(const Environment& environment, std::string_view variable,
                                    std::string_view below_home) {
  if (auto path = environment.get(variable); !path.empty()) return path;
  return environment.home.empty() ? std::filesystem::path() : environment.home / below_home;
}

std::string first_of(const Environment& environment, std::string_view upper, std::string_view lower) {
  auto value = environment.get(upper);
  return value.empty() ? environment.get(lower) : value;
}

}  // namespace

Environment Environment::of_process() {
  Environment result;
  for (char** entry = environ; entry && *entry; ++entry) {
    const std::string_view text = *entry;
    const auto equals = text.find('=');
    if (equals == std::string_view::npos || equals == 0) continue;
    result.variables.try_emplace(std::string(text.substr(0, equals)), text.substr(equals + 1));
  }
  const bool is_initial = os::in_initial_user_namespace();
  result.uid = outer_uid(result, !is_initial);
  result.home = home_of(result);
  result.privileged = is_initial && os::has_cap_sys_admin();
  return result;
}

std::optional<std::string> Environment::find(std::string_view name) const {
  const auto found = variables.find(name);
  return found == variables.end() ? std::nullopt : std::optional(found->second);
}

std::filesystem::path Environment::system_path(std::string_view absolute) const {
  return root.empty() ? std::filesystem::path(absolute) : root / absolute.substr(1);
}

std::filesystem::path Environment::config_home() const {
  return xdg_directory(*this, "XDG_CONFIG_HOME", ".config");
}

std::filesystem::path Environment::data_home() const {
  return xdg_directory(*this, "XDG_DATA_HOME", ".local/share");
}

Proxies proxies_of(const Environment& environment) {
  const bool is_cgi = !environment.get("REQUEST_METHOD").empty();
  return {is_cgi ? environment.get("http_proxy") : first_of(environment, "HTTP_PROXY", "http_proxy"),
          first_of(environment, "HTTPS_PROXY", "https_proxy"), first_of(environment, "NO_PROXY", "no_proxy")};
}

}  // namespace lade::config

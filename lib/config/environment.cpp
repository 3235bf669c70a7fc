#include "config/environment.hpp"

#include <linux/capability.h>
#include <pwd.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <charconv>
#include <cstdio>

#include "os/file.hpp"

namespace lade::config {

namespace {

// What podman and buildah set after re-executing themselves in a user namespace, where everyone is root.
uid_t outer_uid(const Environment& environment) {
  const std::string text = environment.get("_CONTAINERS_ROOTLESS_UID");
  uid_t uid = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), uid);
  const bool valid = !text.empty() && error == std::errc() && end == text.data() + text.size();
  return valid ? uid : ::geteuid();
}

bool has_cap_sys_admin() {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3]{};
  if (::syscall(SYS_capget, &header, data) != 0) return false;
  return (data[CAP_TO_INDEX(CAP_SYS_ADMIN)].effective & CAP_TO_MASK(CAP_SYS_ADMIN)) != 0;
}

// user_namespaces(7): one line, from 0 to 0, for all 2^32 - 1 IDs.
bool maps_every_id(const std::string& path) {
  const auto text = os::find_file(path, 4096).value_or("");
  unsigned long inside = 1, outside = 1, count = 0;
  return std::sscanf(text.c_str(), "%lu %lu %lu", &inside, &outside, &count) == 3 && inside == 0 &&
         outside == 0 && count == 4294967295UL;
}

std::filesystem::path home_of(const Environment& environment) {
  if (auto home = environment.get("HOME"); !home.empty()) return home;
  const passwd* entry = ::getpwuid(::getuid());
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
  result.home = home_of(result);
  result.uid = outer_uid(result);
  result.privileged =
      has_cap_sys_admin() && maps_every_id("/proc/self/uid_map") && maps_every_id("/proc/self/gid_map");
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

// What the library learns from the process it runs in: the only place that reads environ.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace lade::config {

// A value: tests make their own.
struct Environment {
  std::map<std::string, std::string, std::less<>> variables;
  std::filesystem::path home;  // $HOME, or the password database's; "" if there is none
  uid_t uid = 0;               // the effective one; inside a rootless user namespace the one outside
  // Goes before every absolute path the library itself knows (/etc, /usr/share, /run, /var/lib).
  // "" outside tests.
  std::filesystem::path root;
  // Has CAP_SYS_ADMIN in the machine's user namespace.
  bool privileged = false;

  static Environment of_process();

  // nullopt: not set.
  std::optional<std::string> find(std::string_view name) const;
  // "": not set, or empty.
  std::string get(std::string_view name) const { return find(name).value_or(""); }

  std::filesystem::path system_path(std::string_view absolute) const;  // root + absolute
  std::filesystem::path config_home() const;  // $XDG_CONFIG_HOME, ~/.config; "" without a home
  std::filesystem::path data_home() const;    // $XDG_DATA_HOME, ~/.local/share; "" without a home
};

// Values for registry::PoolOptions; "" where there is none. Upper-case names win over lower-case ones, as in
// Go; HTTP_PROXY is ignored in a CGI program (REQUEST_METHOD is set), where a client could have chosen it.
struct Proxies {
  std::string http_proxy, https_proxy, no_proxy;
};
Proxies proxies_of(const Environment& environment);

}  // namespace lade::config

#include "config/environment.hpp"

#include <doctest/doctest.h>
#include <stdlib.h>
#include <unistd.h>

#include "os/user_namespace.hpp"

using namespace lade::config;

TEST_CASE("environment: a variable that is not set differs from an empty one") {
  const Environment environment{{{"EMPTY", ""}, {"FULL", "x"}}, "/home/a", 1, ""};
  CHECK(environment.find("EMPTY") == "");
  CHECK(environment.find("NONE") == std::nullopt);
  CHECK(environment.get("FULL") == "x");
}

TEST_CASE("environment: the process has a PATH") {
  const auto environment = Environment::of_process();
  CHECK_FALSE(environment.get("PATH").empty());
  CHECK_FALSE(environment.home.empty());
}

TEST_CASE("environment: no variable makes root of the machine somebody else" *
          doctest::skip(::geteuid() != 0 || !lade::os::in_initial_user_namespace())) {
  ::setenv("_CONTAINERS_ROOTLESS_UID", "1500", 1);
  ::setenv("_CONTAINERS_USERNS_CONFIGURED", "done", 1);
  const auto environment = Environment::of_process();
  ::unsetenv("_CONTAINERS_ROOTLESS_UID");
  ::unsetenv("_CONTAINERS_USERNS_CONFIGURED");
  CHECK(environment.uid == 0);
}

TEST_CASE("environment: XDG variables win over the home directory") {
  Environment environment{{}, "/home/a", 1, ""};
  CHECK(environment.config_home() == "/home/a/.config");
  CHECK(environment.data_home() == "/home/a/.local/share");
  environment.variables = {{"XDG_CONFIG_HOME", "/c"}, {"XDG_DATA_HOME", "/d"}};
  CHECK(environment.config_home() == "/c");
  CHECK(environment.data_home() == "/d");
}

TEST_CASE("environment: without a home there is no configuration directory") {
  CHECK(Environment().config_home().empty());
}

TEST_CASE("environment: system paths stand below the root of a test") {
  CHECK(Environment{{}, "", 0, ""}.system_path("/etc/x") == "/etc/x");
  CHECK(Environment{{}, "", 0, "/r"}.system_path("/etc/x") == "/r/etc/x");
}

TEST_CASE("proxies: upper-case names win, lower-case ones are the fallback") {
  const auto proxies = proxies_of({{{"HTTP_PROXY", "a"},
                                    {"http_proxy", "b"},
                                    {"https_proxy", "c"},
                                    {"HTTPS_PROXY", ""},
                                    {"no_proxy", "d"}},
                                   "",
                                   0,
                                   ""});
  CHECK(proxies.http_proxy == "a");
  CHECK(proxies.https_proxy == "c");
  CHECK(proxies.no_proxy == "d");
}

TEST_CASE("proxies: in a CGI program HTTP_PROXY may come from a client and is ignored") {
  const Environment cgi{
      {{"REQUEST_METHOD", "GET"}, {"HTTP_PROXY", "evil"}, {"HTTPS_PROXY", "good"}}, "", 0, ""};
  CHECK(proxies_of(cgi).http_proxy == "");
  CHECK(proxies_of(cgi).https_proxy == "good");
}

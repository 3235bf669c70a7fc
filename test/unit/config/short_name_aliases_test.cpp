#include "config/short_name_aliases.hpp"

#include <doctest/doctest.h>

#include "config/registries_conf.hpp"
#include "fixture.hpp"
#include "os/file.hpp"
#include "support/errors.hpp"

using namespace lade;
using namespace lade::config;

TEST_CASE("short-name-aliases.conf: it is in the cache of the user, or of the machine for root") {
  test::Machine machine;
  CHECK(short_name_aliases_path(machine.environment) ==
        machine.environment.home / ".cache/containers/short-name-aliases.conf");
  machine.set("XDG_CACHE_HOME", "/cache");
  CHECK(short_name_aliases_path(machine.environment) == "/cache/containers/short-name-aliases.conf");
  machine.environment.uid = 0;
  CHECK(short_name_aliases_path(machine.environment) ==
        machine.environment.root / "var/cache/containers/short-name-aliases.conf");
  CHECK(short_name_aliases_path(machine.environment, "/x.conf") == "/x.conf");
}

TEST_CASE("short-name-aliases.conf: what is added is found again, in the form that others write") {
  const test::Machine machine;
  const auto path = machine.directory / "cache/containers/short-name-aliases.conf";
  CHECK(load_short_name_aliases(background(), path).empty());
  add_short_name_alias(background(), path, "ubi", "red.example/ubi8");
  add_short_name_alias(background(), path, "library/x", "docker.io/library/x");
  add_short_name_alias(background(), path, "ubi", "red.example/ubi9");
  CHECK(os::read_file(path, 1 << 20) ==
        "[aliases]\n  \"library/x\" = \"docker.io/library/x\"\n  \"ubi\" = \"red.example/ubi9\"\n");
  CHECK(load_short_name_aliases(background(), path).at("ubi") == "red.example/ubi9");
}

TEST_CASE("short-name-aliases.conf: a malformed file is told by its name") {
  const test::Machine machine;
  machine.write("a.conf", "[aliases]\nx = \"no/registry\"\n");
  const std::string message =
      test::message_of([&] { load_short_name_aliases(background(), machine.directory / "a.conf"); });
  CHECK(message.find("loading short-name aliases config file") == 0);
}

TEST_CASE("registries.conf: the choices of a person override aliases, and each knows its file") {
  auto conf = RegistriesConf::parse("[aliases]\n\"a\" = \"one.example/a\"\n\"b\" = \"one.example/b\"\n", "r.conf");
  conf.add_aliases({{"a", "two.example/a"}, {"b", ""}, {"c", "two.example/c"}}, "user.conf");
  CHECK(conf.aliases() ==
        std::map<std::string, std::string>{{"a", "two.example/a"}, {"c", "two.example/c"}});
  CHECK(conf.alias_origin("a") == "user.conf");
}

TEST_CASE("registries.conf: a directory for drop-ins takes the place of the others") {
  const test::Machine machine;
  machine.write("root/etc/containers/registries.conf", "unqualified-search-registries = [\"one.example\"]\n");
  machine.write("root/etc/containers/registries.conf.d/a.conf", "[aliases]\na = \"one.example/a\"\n");
  machine.write("own/b.conf", "unqualified-search-registries = [\"two.example\"]\n");
  const auto usual = RegistriesConf::load(machine.environment);
  CHECK(usual.search_origin() == machine.path("root/etc/containers/registries.conf"));
  CHECK(usual.aliases().size() == 1);
  const auto own = RegistriesConf::load(machine.environment, "", machine.path("own"));
  CHECK(own.search_origin() == machine.path("own/b.conf"));
  CHECK(own.aliases().empty());
}

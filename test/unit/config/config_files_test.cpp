#include "config/config_files.hpp"

#include <doctest/doctest.h>

#include "fixture.hpp"
#include "support/errors.hpp"

using namespace lade;
using namespace lade::config;

namespace {

constexpr ConfigFamily family{"things", "conf", "THINGS_CONF"};

// The texts read, joined: each file of the tests holds one word.
std::string read(const test::Machine& machine, const std::string& path = "") {
  std::string result;
  for (const auto& file : read_config_files(config_paths(machine.environment, family, path)))
    result += (result.empty() ? "" : " ") + file.text;
  return result;
}

const std::string user = "home/.config/containers/", etc = "root/etc/containers/",
                  usr = "root/usr/share/containers/";

}  // namespace

TEST_CASE("config files: of the main files the first in user, etc, usr order is read") {
  const test::Machine machine;
  CHECK(read(machine) == "");
  machine.write(usr + "things.conf", "usr");
  CHECK(read(machine) == "usr");
  machine.write(etc + "things.conf", "etc");
  CHECK(read(machine) == "etc");
  machine.write(user + "things.conf", "user");
  CHECK(read(machine) == "user");
}

TEST_CASE("config files: drop-ins follow in the order of their base names") {
  const test::Machine machine;
  machine.write(etc + "things.conf", "main");
  machine.write(usr + "things.conf.d/10-a.conf", "a");
  machine.write(user + "things.conf.d/20-b.conf", "b");
  machine.write(etc + "things.conf.d/15-c.conf", "c");
  machine.write(etc + "things.conf.d/15-d.txt", "ignored");
  CHECK(read(machine) == "main a c b");
}

TEST_CASE("config files: of drop-ins with one base name the user's wins, then etc's") {
  const test::Machine machine;
  machine.write(usr + "things.conf.d/a.conf", "usr");
  machine.write(etc + "things.conf.d/a.conf", "etc");
  CHECK(read(machine) == "etc");
  machine.write(user + "things.conf.d/a.conf", "user");
  CHECK(read(machine) == "user");
}

TEST_CASE("config files: rootless users have directories of their own, and so has root") {
  test::Machine machine;
  machine.write(etc + "things.rootless.conf.d/1.conf", "rootless");
  machine.write(etc + "things.rootless.conf.d/1000/2.conf", "uid");
  machine.write(usr + "things.rootful.conf.d/3.conf", "rootful");
  CHECK(read(machine) == "rootless uid");
  machine.environment.uid = 0;
  CHECK(read(machine) == "rootful");
}

TEST_CASE("config files: the variable names the only file, which must exist") {
  test::Machine machine;
  machine.write("own.conf", "own");
  machine.write(etc + "things.conf.d/a.conf", "drop-in");
  machine.set("THINGS_CONF", machine.path("own.conf"));
  CHECK(read(machine) == "own");
  machine.set("THINGS_CONF", machine.path("missing.conf"));
  CHECK(test::kind_of([&] { read(machine); }) == Kind::not_found);
}

TEST_CASE("config files: a path from the command line wins over the variable and keeps drop-ins") {
  test::Machine machine;
  machine.write("own.conf", "own");
  machine.write(etc + "things.conf.d/a.conf", "drop-in");
  machine.set("THINGS_CONF", machine.path("missing.conf"));
  CHECK(read(machine, machine.path("own.conf")) == "own drop-in");
}

TEST_CASE("config files: the override variable comes last and must exist") {
  test::Machine machine;
  machine.write(etc + "things.conf", "main");
  machine.write("last.conf", "last");
  machine.set("THINGS_CONF_OVERRIDE", machine.path("last.conf"));
  CHECK(read(machine) == "main last");
  machine.set("THINGS_CONF_OVERRIDE", machine.path("missing.conf"));
  CHECK(test::kind_of([&] { read(machine); }) == Kind::not_found);
}

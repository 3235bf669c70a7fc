#include "runtime/resources.hpp"

#include <doctest/doctest.h>

#include "base/error.hpp"
#include "runtime/cgroup.hpp"

using namespace lade;
using namespace lade::runtime;

TEST_CASE("limits are written in the units of each version") {
  Resources resources;
  resources.memory.limit = 1000;
  resources.memory.swap = 1500;
  resources.cpu.shares = 1024;
  resources.cpu.quota = 50000;
  resources.pids.limit = -1;
  CHECK(plan_cgroup_v2(resources) == std::vector<CgroupWrite>{{"cpu", "cpu.weight", "39"},
                                                              {"cpu", "cpu.max", "50000 100000"},
                                                              {"memory", "memory.swap.max", "500"},
                                                              {"memory", "memory.max", "1000"},
                                                              {"pids", "pids.max", "max"}});
  CHECK(plan_cgroup_v1(resources) ==
        std::vector<CgroupWrite>{{"cpu", "cpu.shares", "1024"},
                                 {"cpu", "cpu.cfs_quota_us", "50000"},
                                 {"memory", "memory.limit_in_bytes", "1000"},
                                 {"memory", "memory.memsw.limit_in_bytes", "1500"},
                                 {"pids", "pids.max", "max"}});
}

TEST_CASE("what a version of cgroups does not have is refused") {
  Resources resources;
  resources.memory.kernel = 5;
  CHECK_THROWS_AS(plan_cgroup_v2(resources), Error);
  resources = {};
  resources.unified = {{"memory.high", "1"}};
  CHECK_THROWS_AS(plan_cgroup_v1(resources), Error);
  CHECK(plan_cgroup_v2(resources).at(0) == CgroupWrite{"memory", "memory.high", "1"});
}

TEST_CASE("names of files come from nowhere else") {
  Resources resources;
  for (const char* file : {"../../x.y", "memory", ".high", ""}) {
    resources.unified = {{file, "1"}};
    CHECK_THROWS_AS(plan_cgroup_v2(resources), Error);
  }
  resources = {};
  resources.hugepage_limits = {{"2MB/../x", 1}};
  CHECK_THROWS_AS(plan_cgroup_v1(resources), Error);
}

TEST_CASE("swap counts memory too") {
  Resources resources;
  resources.memory.swap = 10;
  CHECK_THROWS_AS(plan_cgroup_v2(resources), Error);
  resources.memory.limit = 11;
  CHECK_THROWS_AS(plan_cgroup_v2(resources), Error);
}

TEST_CASE("the program for devices ends with the rule that decides all") {
  const std::vector<DeviceRule> rules = {{false, "", {}, {}, "rwm"}, {true, "c", 1, 3, "rw"}};
  const auto program = device_program(rules);
  // six to load, six and two for /dev/null, two to deny the rest
  CHECK(program.size() == 6 + 8 + 2);
  CHECK(device_program({}).size() == 8);
}

TEST_CASE("every container may use the common devices") {
  const auto rules = complete_device_rules({{false, "a", {}, {}, ""}});
  CHECK(rules.front().access == "rwm");
  CHECK(rules.size() > 8);
  CHECK_THROWS_AS(complete_device_rules({{true, "c", {}, {}, "x"}}), Error);
}

TEST_CASE("a container's cgroup stays below the mount point") {
  Host host;
  host.cgroups = {{{}, "/sys/fs/cgroup", "/own", ""}};
  choose_cgroups(host, "rel", "id", false);
  CHECK(host.cgroups[0].container_path == "/own/rel");
  choose_cgroups(host, "/abs/x/", "id", false);
  CHECK(host.cgroups[0].container_path == "/abs/x");
  choose_cgroups(host, "", "id", false);
  CHECK(host.cgroups[0].container_path == "/lade-id");
  CHECK_THROWS_AS(choose_cgroups(host, "/a/../../b", "id", false), Error);
}

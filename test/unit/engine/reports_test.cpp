#include <doctest/doctest.h>

#include "../store/fixture.hpp"
#include "engine/disk_usage.hpp"
#include "engine/host_facts.hpp"
#include "engine/image_changes.hpp"
#include "support/errors.hpp"

using namespace lade;
using namespace lade::engine;

namespace {

const config::RegistriesConf report_rules;

std::string told(const std::vector<FileChange>& changes) {
  std::string text;
  for (const auto& change : changes) {
    text += change.kind == FileChange::Kind::added ? "A" : change.kind == FileChange::Kind::deleted ? "D" : "C";
    text += change.path + " ";
  }
  return text;
}

}  // namespace

TEST_CASE("changes of an image: against the layer below, with whiteouts") {
  const test::Place place("vfs");
  const auto store = place.open();
  const auto image = test::put(*store, "app",
                               {{{"etc/", ""}, {"etc/motd", "one"}, {"gone", "x"}, {"kept", "x"}},
                                {{"etc/", ""}, {"etc/motd", "other"}, {".wh.gone", ""}, {"new", ""}}});
  const LocalImages images(background(), store, report_rules);
  CHECK(told(layer_changes(images, image.layer)) == "C/etc/motd D/gone A/new ");
  CHECK(told(layer_changes(images, image.layer, "")) == "A/etc A/etc/motd A/kept A/new ");
  CHECK(told(layer_changes(images, image.layer, image.layer)).empty());
}

TEST_CASE("disk usage: layers of several images are shared, and count once") {
  const test::Place place("vfs");
  const auto store = place.open();
  const test::Files base{{"a", "one"}};
  test::put(*store, "one", {base});
  test::put(*store, "two", {base, {{"b", "two"}}});
  const LocalImages images(background(), store, report_rules);
  const auto usage = image_usage(images);
  REQUIRE(usage.images.size() == 2);
  CHECK(usage.images[0].shared == usage.images[1].shared);
  CHECK(usage.images[0].shared > 0);
  CHECK(usage.images[1].unique > usage.images[0].unique);
  CHECK(usage.total == usage.images[0].shared + usage.images[0].unique + usage.images[1].unique);
}

TEST_CASE("disk usage: volumes are directories with data") {
  const test::Directory directory;
  directory.write("volumes/data/_data/file", "12345");
  directory.write("volumes/empty/other", "");
  const auto usage = volume_usage(directory / "volumes");
  REQUIRE(usage.size() == 1);
  CHECK(usage[0].name == "data");
  CHECK(usage[0].size == 5);
  CHECK(volume_usage(directory / "nosuch").empty());
}

TEST_CASE("host facts: they come from the files of the machine") {
  const test::Directory directory;
  directory.write("etc/os-release", "ID=debian\nVERSION_ID=\"12\"\nVERSION_CODENAME=bookworm\n");
  directory.write("proc/meminfo", "MemTotal:  1000 kB\nMemFree:  10 kB\nSwapTotal: 2 kB\nSwapFree: 1 kB\n");
  directory.write("proc/uptime", "90061.5 1\n");
  directory.write("proc/stat", "cpu  50 0 25 25 0\n");
  directory.write("sys/fs/cgroup/cgroup.controllers", "cpu memory\n");
  const auto facts = HostFacts::read(directory.path());
  CHECK(facts.distribution.id == "debian");
  CHECK(facts.distribution.version == "12");
  CHECK(facts.memory_total == 1024000);
  CHECK(facts.swap_free == 1024);
  CHECK(facts.cpu.user == 50);
  CHECK(facts.cgroup_version == "v2");
  CHECK(facts.cgroup_controllers == std::vector<std::string>{"cpu", "memory"});
  CHECK(uptime_text(facts.uptime) == "25h 1m 1.50s (Approximately 1.04 days)");
  CHECK(uptime_text(59) == "0h 0m 59.00s");
}

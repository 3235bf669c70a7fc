#include "os/subordinate_ids.hpp"

#include <doctest/doctest.h>

#include "support/errors.hpp"

using namespace lade;
using os::IdRange;
using test::kind_of;
using test::message_of;

namespace {

std::vector<IdRange> ranges_of_ada(std::string_view text) {
  return os::parse_subordinate_ids(text, "ada", 1500, "/etc/subuid");
}

}  // namespace

TEST_CASE("subordinate ids: a user's lines are found by name and by number, in their order") {
  const auto ranges = ranges_of_ada("bob:100000:65536\nada:200000:65536\n# ada\n\n1500:900000:10\nadam:1:1");
  CHECK(ranges == std::vector<IdRange>{{200000, 65536}, {900000, 10}});
  CHECK(ranges_of_ada("").empty());
  CHECK(ranges_of_ada("bob:1:1").empty());
}

TEST_CASE("subordinate ids: lines of others may be anything, the user's own may not") {
  CHECK(ranges_of_ada("bob\nbob:x:y\n:1:1\nada:5:5").size() == 1);
  for (const char* line :
       {"ada", "ada:", "ada:1", "ada:1:", "ada:1:2:3", "ada:-1:2", "ada: 1:2", "ada:1:2 ", "ada:0x1:2",
        "ada:1:0", "ada:4294967296:1", "ada:4294967295:1", "ada:4294967294:2", "ada:2:4294967295"}) {
    CAPTURE(line);
    CHECK(kind_of([&] { ranges_of_ada(line); }) == Kind::invalid_input);
  }
  CHECK(ranges_of_ada("ada:4294967294:1").size() == 1);
  CHECK(message_of([] { ranges_of_ada("bob:1:1\nada:1:x\n"); }) ==
        "/etc/subuid, line 2: a range is two decimal numbers, the first ID and how many");
}

TEST_CASE("subordinate ids: a user without a name owns no lines without one") {
  CHECK(os::parse_subordinate_ids(":1:1\n1500:2:2", "", 1500, "x").size() == 1);
}

TEST_CASE("subordinate ids: more ranges than the kernel takes are refused") {
  std::string text;
  for (int i = 0; i < 339; ++i) text += "ada:" + std::to_string(100'000 + i) + ":1\n";
  CHECK(ranges_of_ada(text).size() == 339);
  CHECK(kind_of([&] { ranges_of_ada(text + "ada:1:1"); }) == Kind::unsupported);
}

TEST_CASE("subordinate ids: what getsubids prints is read") {
  CHECK(os::parse_getsubids("0: ada 100000 65536\n1: ada 300000 7\n") ==
        std::vector<IdRange>{{100000, 65536}, {300000, 7}});
  CHECK(kind_of([] { os::parse_getsubids("Error fetching ranges\n"); }) == Kind::invalid_input);
}

TEST_CASE("subordinate ids: nsswitch.conf tells whether another service knows them") {
  CHECK(os::has_subid_service("passwd: files\nsubid:  sss\n"));
  CHECK_FALSE(os::has_subid_service("subid: files # sss\n"));
  CHECK_FALSE(os::has_subid_service("#subid: sss\npasswd: sss\n"));
}

TEST_CASE("subordinate ids: the user is 0, the ranges follow from 1") {
  CHECK(os::map_own_and_ranges(1500, {{200000, 65536}, {900000, 10}}) ==
        std::vector<os::IdMapping>{{0, 1500, 1}, {1, 200000, 65536}, {65537, 900000, 10}});
  CHECK(kind_of([] {
          os::map_own_and_ranges(1, {{5, 4294967000}, {5, 4294967000}});
        }) == Kind::invalid_input);
}

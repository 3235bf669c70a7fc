#include "store/ids.hpp"

#include <doctest/doctest.h>

#include "support/errors.hpp"

using namespace lade;
using namespace lade::store;

TEST_CASE("store IDs: a layer's ID follows from its parent's and its own content") {
  const auto digest = spec::Digest::from_hex(spec::Digest::Algorithm::sha256, std::string(64, 'a'));
  CHECK(layer_id("", digest) == std::string(64, 'a'));
  // printf '%s+%s' bbb... aaa... | sha256sum
  CHECK(layer_id(std::string(64, 'b'), digest) ==
        "c1699acdf88e54fe33889776b2f46f6f83edb900fcf79e8b108f705df363269a");
  const auto sha512 = spec::Digest::from_hex(spec::Digest::Algorithm::sha512, std::string(128, 'a'));
  CHECK(test::kind_of([&] { layer_id("", sha512); }) == Kind::invalid_input);
}

TEST_CASE("store IDs: random ones are 64 hex digits and differ") {
  CHECK(is_id(random_id()));
  CHECK(random_id() != random_id());
  CHECK_FALSE(is_id(std::string(64, 'A')));
  CHECK_FALSE(is_id("abc"));
  CHECK(random_link_name().size() == 26);
}

TEST_CASE("store IDs: big data keys become file names as in containers/storage") {
  CHECK(big_data_file_name("manifest") == "manifest");
  CHECK(big_data_file_name("instances.json") == "instances.json");
  CHECK(big_data_file_name("sha256:00") == "=c2hhMjU2OjAw");
  CHECK(big_data_file_name("manifest-sha256:0") == "=bWFuaWZlc3Qtc2hhMjU2OjA=");
  CHECK(big_data_file_name("abc-") == "abc-");
  for (const std::string key : {"", ".", "..", "/"})
    CHECK(test::kind_of([&] { big_data_file_name(key); }) == Kind::invalid_input);
}

TEST_CASE("store IDs: times are written as Go writes them") {
  using namespace std::chrono;
  const system_clock::time_point epoch;
  CHECK(format_time(epoch) == "1970-01-01T00:00:00Z");
  CHECK(format_time(epoch + seconds(1700000000) + milliseconds(120)) == "2023-11-14T22:13:20.12Z");
  CHECK(format_time(epoch - milliseconds(500)) == "1969-12-31T23:59:59.5Z");
}

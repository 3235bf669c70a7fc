#include "archive/pax.hpp"

#include <doctest/doctest.h>

#include "support/errors.hpp"

using namespace lade;
using namespace lade::archive;

TEST_CASE("pax records: the last of a key wins, an empty one removes it") {
  CHECK(parse_pax("8 a=one\n8 a=two\n") == PaxRecords{{"a", "two"}});
  CHECK(parse_pax("8 a=one\n5 a=\n") == PaxRecords{});
  CHECK(parse_pax("12 a=x=y\nz\n\n") == PaxRecords{{"a", "x=y\nz\n"}});
}

TEST_CASE("malformed pax records are refused") {
  for (const std::string text : {"x", "5", "4 a=\n", "9 a=b\n", "6 a=bX", "6 a b\n", "6 =ab\n", "-6 a=b\n",
                                 "99999999999999999999 a=b\n", " 6 a=b\n", "0 a=b\n"}) {
    CAPTURE(text);
    CHECK(test::kind_of([&] { parse_pax(text); }) == Kind::invalid_input);
  }
  CHECK_THROWS_AS(parse_pax(std::string("11 path=a\0b\n", 12)), Error);
}

TEST_CASE("sparse extents in repeated keys become one map") {
  const auto records = parse_pax(
      "23 GNU.sparse.offset=1\n25 GNU.sparse.numbytes=2\n23 GNU.sparse.offset=5\n25 GNU.sparse.numbytes=6\n");
  CHECK(records == PaxRecords{{"GNU.sparse.map", "1,2,5,6"}});
  CHECK_THROWS_AS(parse_pax("25 GNU.sparse.numbytes=2\n"), Error);
}

TEST_CASE("pax times are read and written to the nanosecond, before 1970 too") {
  const std::pair<const char*, TarTime> table[] = {{"0", {0, 0}},
                                                   {"1350244992.02396", {1350244992, 23'960'000}},
                                                   {"-1", {-1, 0}},
                                                   {"-0.25", {-1, 750'000'000}},
                                                   {"-1.5", {-2, 500'000'000}},
                                                   {"7.000000001", {7, 1}}};
  for (const auto& row : table) {
    CAPTURE(row.first);
    CHECK(parse_pax_time(row.first) == row.second);
    CHECK(format_pax_time(row.second) == row.first);
  }
  CHECK(parse_pax_time("1.1234567899") == TarTime{1, 123'456'789});
  for (const auto* bad : {"", ".", "1.x", "1..2", "+1", "1 ", "99999999999999999999"}) {
    CAPTURE(bad);
    CHECK_THROWS_AS(parse_pax_time(bad), Error);
  }
}

TEST_CASE("names are cleaned lexically and never gain a meaning") {
  const std::pair<const char*, const char*> table[] = {
      {"a/b", "a/b"},         {"./a//b/", "a/b"},    {"/a", "a"}, {"a/../b", "b"}, {"..", ".."},
      {"../../a", "../../a"}, {"a/../../b", "../b"}, {"", ""},    {"/", ""},       {".", ""}};
  for (const auto& row : table) {
    CAPTURE(row.first);
    CHECK(clean_name(row.first) == row.second);
  }
}

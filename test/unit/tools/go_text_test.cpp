#include "common/go_text.hpp"

#include <doctest/doctest.h>

#include "base/error.hpp"

using namespace lade;
using namespace lade::common;
using namespace std::chrono_literals;

TEST_CASE("quote: as strconv.Quote") {
  CHECK(quote("a\"b\\c\n\t") == R"("a\"b\\c\n\t")");
  CHECK(quote("caf\u00e9") == "\"caf\u00e9\"");
  CHECK(quote(std::string_view("\x00\x1b\xff", 3)) == R"("\x00\x1b\xff")");
}

TEST_CASE("parse_bool: only Go's words") {
  CHECK(parse_bool("True"));
  CHECK_FALSE(parse_bool("0"));
  CHECK_THROWS_WITH(parse_bool("maybe"), "strconv.ParseBool: parsing \"maybe\": invalid syntax");
}

TEST_CASE("parse_int: signs, bases, underscores and the range of 64 bits") {
  CHECK(parse_int("-12") == -12);
  CHECK(parse_int("0x1f") == 31);
  CHECK(parse_int("1_000") == 1000);
  CHECK(parse_int("-9223372036854775808") == std::numeric_limits<std::int64_t>::min());
  CHECK_THROWS_WITH(parse_int("x"), "strconv.ParseInt: parsing \"x\": invalid syntax");
  CHECK_THROWS_WITH(parse_int(""), "strconv.ParseInt: parsing \"\": invalid syntax");
  CHECK_THROWS_WITH(parse_int("9223372036854775808"),
                    "strconv.ParseInt: parsing \"9223372036854775808\": value out of range");
}

TEST_CASE("parse_uint: no sign") {
  CHECK(parse_uint("6") == 6);
  CHECK_THROWS_WITH(parse_uint("-1"), "strconv.ParseUint: parsing \"-1\": invalid syntax");
}

TEST_CASE("parse_duration: units, fractions and Go's complaints") {
  CHECK(parse_duration("1h2m3.5s") == 1h + 2min + 3500ms);
  CHECK(parse_duration("-1.5h") == -90min);
  CHECK(parse_duration("0") == 0ns);
  CHECK_THROWS_WITH(parse_duration("5"), "time: missing unit in duration \"5\"");
  CHECK_THROWS_WITH(parse_duration(""), "time: invalid duration \"\"");
  CHECK_THROWS_WITH(parse_duration("5x"), "time: unknown unit \"x\" in duration \"5x\"");
  CHECK_THROWS_WITH(parse_duration("inf"), "time: invalid duration \"inf\"");
}

TEST_CASE("parse_size: plain bytes, powers of 1024 and of 1000") {
  CHECK(parse_size("1048576") == 1048576);
  CHECK(parse_size("10MiB") == 10u << 20);
  CHECK(parse_size("10m") == 10u << 20);
  CHECK(parse_size("5MB") == 5'000'000);
  for (const char* bad : {"", "M", "-1", "1x", "1MiBs", "99999999999T"}) {
    CAPTURE(bad);
    CHECK_THROWS_AS(parse_size(bad), Error);
  }
}

TEST_CASE("format_duration: as Go's Duration.String") {
  CHECK(format_duration(0ns) == "0s");
  CHECK(format_duration(1s) == "1s");
  CHECK(format_duration(1500ms) == "1.5s");
  CHECK(format_duration(250ms) == "250ms");
  CHECK(format_duration(1h + 2min + 3s) == "1h2m3s");
  CHECK(format_duration(-90s) == "-1m30s");
}

TEST_CASE("show_time: as time.Time's String") {
  CHECK(show_time("2026-11-21T09:01:50.203439256Z") == "2026-11-21 09:01:50.203439256 +0000 UTC");
  CHECK(show_time("2026-11-21T09:01:50.200Z") == "2026-11-21 09:01:50.2 +0000 UTC");
  CHECK(show_time("2026-11-21T09:01:50+01:00") == "2026-11-21 09:01:50 +0100 +0100");
  CHECK(show_time("yesterday") == "0001-01-01 00:00:00 +0000 UTC");
  CHECK(show_time("") == "0001-01-01 00:00:00 +0000 UTC");
}

TEST_CASE("decode_utf8: overlong and cut sequences are one invalid byte each") {
  CHECK(decode_utf8("\u00e9", 0).length == 2);
  CHECK(decode_utf8("\xc0\x80", 0).value == 0xfffd);
  CHECK(decode_utf8("\xe2\x82", 0).length == 1);
}

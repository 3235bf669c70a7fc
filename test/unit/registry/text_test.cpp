#include "registry/text.hpp"

#include <doctest/doctest.h>

#include <cstdint>

using namespace lade::registry;

TEST_CASE("percent-encoding leaves only unreserved characters") {
  CHECK(percent_encode("repository:a/b:pull,push") == "repository%3Aa%2Fb%3Apull%2Cpush");
  CHECK(percent_encode("a-b_c.d~e") == "a-b_c.d~e");
}

TEST_CASE("parameters are added to targets with and without a query") {
  CHECK(with_parameter("/t", "a", "1 2") == "/t?a=1%202");
  CHECK(with_parameter("/t?x=y", "a", "1") == "/t?x=y&a=1");
}

TEST_CASE("numbers are digits that fit") {
  CHECK(parse_number("18446744073709551615") == UINT64_MAX);
  for (const auto* text : {"", "-1", "+1", " 1", "1x", "18446744073709551616"}) {
    CAPTURE(text);
    CHECK(!parse_number(text));
  }
}

TEST_CASE("dates of HTTP and of RFC 3339 name the same moment") {
  const auto expected = parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT");
  REQUIRE(expected);
  CHECK(std::chrono::system_clock::to_time_t(*expected) == 784111777);
  CHECK(parse_rfc3339("1994-11-06T08:49:37Z") == expected);
  CHECK(parse_rfc3339("1994-11-06T08:49:37.123456789Z") == expected);
  CHECK(parse_rfc3339("1994-11-06T10:49:37+02:00") == expected);
  CHECK(parse_rfc3339("1994-11-06T01:19:37-07:30") == expected);
}

TEST_CASE("what is not a date is not taken for one") {
  for (const auto* text : {"", "0", "Sun, 06 Nov 1994 08:49:37 CET", "Sun, 31 Feb 1994 08:49:37 GMT",
                           "Sun, 06 ovD 1994 08:49:37 GMT", "Sun, 06 Nov 1994 25:49:37 GMT"}) {
    CAPTURE(text);
    CHECK(!parse_http_date(text));
  }
  for (const auto* text :
       {"", "1994-11-06", "1994-11-06T08:49:37", "1994-11-06T08:49:37+2", "1994-13-06T08:49:37Z"}) {
    CAPTURE(text);
    CHECK(!parse_rfc3339(text));
  }
}

TEST_CASE("quoting leaves no control characters") {
  CHECK(quote("a\"\\\n\x1b") == R"("a\"\\\n\x1b")");
}

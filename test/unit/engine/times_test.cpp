#include "engine/times.hpp"

#include <doctest/doctest.h>

#include "support/errors.hpp"

using namespace lade;
using namespace lade::engine;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

TEST_CASE("times are read with their fractions and zones") {
  CHECK(parse_time("1970-01-01T00:00:01Z") == Instant(seconds(1)));
  CHECK(parse_time("1970-01-01T01:00:00+01:00") == Instant{});
  CHECK(parse_time("1970-01-01T00:00:00.25Z") == Instant(std::chrono::milliseconds(250)));
  CHECK(parse_time("2026-11-21T16:58:38Z") == Instant(seconds(1795280318)));
  CHECK_FALSE(parse_time("yesterday"));
  CHECK(time_or_epoch("0001-01-01T00:00:00Z") == Instant{});
}

TEST_CASE("a limit is a time, a date, seconds or a duration before now") {
  const Instant now(seconds(1'000'000'000));
  CHECK(parse_until("1h30m", now) == now - minutes(90));
  CHECK(parse_until("10", now) == Instant(seconds(10)));
  CHECK(parse_until("1970-01-02", now) == Instant(hours(24)));
  CHECK(parse_until("1970-01-01T00:00:05Z", now) == Instant(seconds(5)));
  for (const char* wrong : {"", "x", "1x", "h", "1..5h"}) CHECK_THROWS_AS(parse_until(wrong, now), Error);
}

TEST_CASE("ages are in words") {
  CHECK(human_duration(std::chrono::milliseconds(400)) == "Less than a second");
  CHECK(human_duration(seconds(1)) == "1 second");
  CHECK(human_duration(seconds(59)) == "59 seconds");
  CHECK(human_duration(seconds(61)) == "About a minute");
  CHECK(human_duration(minutes(46)) == "46 minutes");
  CHECK(human_duration(minutes(61)) == "About an hour");
  CHECK(human_duration(hours(47)) == "47 hours");
  CHECK(human_duration(hours(49)) == "2 days");
  CHECK(human_duration(hours(24 * 15)) == "2 weeks");
  CHECK(human_duration(hours(24 * 61)) == "2 months");
  CHECK(human_duration(hours(24 * 365 * 3)) == "3 years");
}

TEST_CASE("sizes are powers of 1000") {
  CHECK(human_size(0, "", 4) == "0B");
  CHECK(human_size(13415, " ", 3) == "13.4 kB");
  CHECK(human_size(22252, "", 4) == "22.25kB");
  CHECK(human_size(213'000'000, " ", 3) == "213 MB");
}

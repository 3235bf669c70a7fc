#include "common/arguments.hpp"

#include <doctest/doctest.h>

#include <stdexcept>

#include "base/error.hpp"

using namespace lade;
using namespace lade::common;
using namespace std::chrono_literals;
using Words = std::vector<std::string>;

namespace {

std::vector<Option> table() {
  return {
      {.name = "all", .short_name = 'a'},
      {.name = "quiet", .short_name = 'q'},
      {.name = "format", .short_name = 'f', .kind = ValueKind::text},
      {.name = "creds", .kind = ValueKind::text, .aliases = {"screds"}},
      {.name = "retry-times", .kind = ValueKind::integer},
      {.name = "jobs", .kind = ValueKind::unsigned_integer},
      {.name = "timeout", .kind = ValueKind::duration},
      {.name = "tag", .kind = ValueKind::list},
      {.name = "registries.d", .kind = ValueKind::text},
      {.name = "sign-by", .kind = ValueKind::text, .unavailable = "signing is not available in lade yet"}};
}

Arguments parse(const Words& words, Interspersed mode = Interspersed::yes) {
  return parse_arguments(table(), words, mode);
}

}  // namespace

TEST_CASE("arguments: every way to write a value") {
  for (const Words& words :
       {Words{"--format=oci"}, Words{"--format", "oci"}, Words{"-foci"}, Words{"-f", "oci"}, Words{"-f=oci"},
        Words{"-af", "oci"}, Words{"-afoci"}, Words{"-af=oci"}}) {
    CAPTURE(words.front());
    CHECK(parse(words).flags.text("format") == "oci");
  }
}

TEST_CASE("arguments: values keep '=', ',', spaces and dashes") {
  CHECK(parse({"--format", "--all"}).flags.text("format") == "--all");
  CHECK(parse({"--creds=a=b,c d"}).flags.text("creds") == "a=b,c d");
  CHECK(parse({"-f=-x=1"}).flags.text("format") == "-x=1");
  CHECK(parse({"--creds="}).flags.find_text("creds") == std::string());
}

TEST_CASE("arguments: a very long value is no matter") {
  const std::string value(1 << 20, 'x');
  CHECK(parse({"--creds", value}).flags.text("creds") == value);
}

TEST_CASE("arguments: booleans know false, true and not given") {
  CHECK_FALSE(parse({}).flags.find_flag("all").has_value());
  CHECK(parse({"--all"}).flags.flag("all"));
  CHECK(parse({"--all=false"}).flags.find_flag("all") == false);
  CHECK(parse({"-a=false"}).flags.find_flag("all") == false);
  CHECK(parse({"-aq"}).flags.flag("quiet"));
  CHECK(parse({"--all", "false"}).positional == Words{"false"});
}

TEST_CASE("arguments: the last of several values wins") {
  CHECK(parse({"-f", "oci", "--format=v2s2"}).flags.text("format") == "v2s2");
  CHECK(parse({"-a", "--all=0"}).flags.find_flag("all") == false);
}

TEST_CASE("arguments: lists gather repetitions and split at commas") {
  CHECK(parse({"--tag", "a,b", "--tag=c"}).flags.list("tag") == Words{"a", "b", "c"});
  CHECK(parse({}).flags.list("tag").empty());
}

TEST_CASE("arguments: typed values") {
  const Flags flags = parse({"--retry-times=3", "--jobs=8", "--timeout=1m30s", "--registries.d=/x"}).flags;
  CHECK(flags.find_integer("retry-times") == 3);
  CHECK(flags.find_unsigned("jobs") == 8);
  CHECK(flags.find_duration("timeout") == 90s);
  CHECK(flags.text("registries.d") == "/x");
}

TEST_CASE("arguments: an alias stands for its option") {
  CHECK(parse({"--screds", "me"}).flags.text("creds") == "me");
}

TEST_CASE("arguments: options may stand between arguments, -- ends them, - is an argument") {
  const Arguments mixed = parse({"src", "--all", "-", "--", "--quiet"});
  CHECK(mixed.positional == Words{"src", "-", "--quiet"});
  CHECK(mixed.flags.flag("all"));
  CHECK_FALSE(mixed.flags.flag("quiet"));
}

TEST_CASE("arguments: may stop at the first argument") {
  const Arguments stopped = parse({"-a", "ls", "-la"}, Interspersed::stop_at_first_argument);
  CHECK(stopped.stopped_at == 1);
  CHECK(stopped.flags.flag("all"));
  CHECK(stopped.positional.empty());
}

TEST_CASE("arguments: complaints are pflag's") {
  const auto complaint = [](const Words& words) -> std::string {
    try {
      parse(words);
      return "";
    } catch (const Error& error) {
      return error.what();
    }
  };
  CHECK(complaint({"--bogus"}) == "unknown flag: --bogus");
  CHECK(complaint({"--fromat=x"}) == "unknown flag: --fromat (did you mean --format?)");
  CHECK(complaint({"-aZ"}) == "unknown shorthand flag: 'Z' in -Z");
  CHECK(complaint({"--format"}) == "flag needs an argument: --format");
  CHECK(complaint({"-af"}) == "flag needs an argument: 'f' in -af");
  CHECK(complaint({"--=x"}) == "bad flag syntax: --=x");
  CHECK(complaint({"---x"}) == "bad flag syntax: ---x");
  CHECK(
      complaint({"--all=foo"}) ==
      "invalid argument \"foo\" for \"-a, --all\" flag: strconv.ParseBool: parsing \"foo\": invalid syntax");
  CHECK(complaint({"--timeout=5"}) ==
        "invalid argument \"5\" for \"--timeout\" flag: time: missing unit in duration \"5\"");
}

TEST_CASE("arguments: an option that is not there yet says so and fails") {
  CHECK_THROWS_WITH(parse({"--sign-by=me"}), "--sign-by: signing is not available in lade yet");
}

TEST_CASE("arguments: asking for an option outside the table is a mistake of the program") {
  CHECK_THROWS_AS(parse({}).flags.given("nonsense"), std::logic_error);
}

#include "registry/challenge.hpp"

#include <doctest/doctest.h>

using lade::registry::Challenge;

namespace {

std::vector<Challenge> parse_lines(std::vector<std::string_view> lines) {
  return lade::registry::parse_challenges(lines);
}

}  // namespace

TEST_CASE("a bearer challenge gives realm, service and scope") {
  const auto challenges = parse_lines(
      {R"(Bearer realm="https://auth.docker.io/token",service="registry.docker.io",scope="a:b:pull,push")"});
  REQUIRE(challenges.size() == 1);
  CHECK(challenges[0].scheme == "bearer");
  CHECK(challenges[0].parameter("realm") == "https://auth.docker.io/token");
  CHECK(challenges[0].parameter("scope") == "a:b:pull,push");
  CHECK(challenges[0].parameter("error").empty());
}

TEST_CASE("several challenges in one line and in several lines are all found, in order") {
  const auto challenges =
      parse_lines({R"(Basic realm="x", Bearer realm="y", charset="UTF-8")", "Digest", "Negotiate"});
  REQUIRE(challenges.size() == 4);
  CHECK(challenges[0] == Challenge{"basic", {{"realm", "x"}}});
  CHECK(challenges[1] == Challenge{"bearer", {{"realm", "y"}, {"charset", "UTF-8"}}});
  CHECK(challenges[2].scheme == "digest");
  CHECK(challenges[3].scheme == "negotiate");
}

TEST_CASE("challenges without parameters or with an opaque word do not swallow the next one") {
  const auto challenges = parse_lines({R"(Negotiate YIIKag==, NTLM, Bearer realm="r")"});
  REQUIRE(challenges.size() == 3);
  CHECK(challenges[0].parameters.empty());
  CHECK(challenges[1].scheme == "ntlm");
  CHECK(challenges[2].parameter("realm") == "r");
}

TEST_CASE("quoted strings may hold commas, equals signs and escaped quotes") {
  const auto challenges = parse_lines({R"(Bearer realm="a\"b, Basic x=\\y", service=plain)"});
  REQUIRE(challenges.size() == 1);
  CHECK(challenges[0].parameter("realm") == R"(a"b, Basic x=\y)");
  CHECK(challenges[0].parameter("service") == "plain");
}

TEST_CASE("spaces around separators and names in any case are fine") {
  const auto challenges = parse_lines({" ,  BEARER   Realm = \"r\"\t,\t Service = s , "});
  REQUIRE(challenges.size() == 1);
  CHECK(challenges[0] == Challenge{"bearer", {{"realm", "r"}, {"service", "s"}}});
}

TEST_CASE("what came before broken text stands") {
  const auto challenges = parse_lines({R"(Basic realm="x", Bearer realm="never ends)"});
  REQUIRE(challenges.size() == 2);
  CHECK(challenges[0].parameter("realm") == "x");
  CHECK(challenges[1].parameters.empty());
}

TEST_CASE("nothing comes of nonsense") {
  for (const std::string_view text : {"", " ", ",,,", "\"", "=", "\x01\x02", "(comment)"}) {
    CAPTURE(text);
    CHECK(parse_lines({text}).empty());
  }
}

TEST_CASE("numbers of challenges and parameters and the length of a line are bounded") {
  std::string many, wide = "Bearer ";
  for (int i = 0; i < 100; ++i) many += "A" + std::to_string(i) + ", ";
  for (int i = 0; i < 100; ++i) wide += "p" + std::to_string(i) + "=v, ";
  CHECK(parse_lines({many}).size() == 16);
  CHECK(parse_lines({wide})[0].parameters.size() == 32);
  CHECK(parse_lines({"Basic realm=\"" + std::string(20'000, 'x') + '"'}).empty());
}

#include "sync/semver.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "support/errors.hpp"

using namespace lade;
using namespace lade::test;
using sync::SemanticVersion;
using sync::VersionConstraint;

TEST_CASE("tags of one to three numbers are versions, other tags are not") {
  for (const char* version : {"1", "1.2", "v1.2.3", "1.2.3-rc.1", "1.2.3+build.5", "0.0.0"})
    CHECK_MESSAGE(SemanticVersion::parse(version), version);
  for (const char* other : {"", "latest", "1.", "1.2.3.4", "1.2.3-", "v", "1.x", "-1", "99999999999999999999"})
    CHECK_FALSE_MESSAGE(SemanticVersion::parse(other), other);
}

TEST_CASE("versions are ordered as semver.org says") {
  const std::vector<std::string> ordered = {"1.0.0-alpha",  "1.0.0-alpha.1", "1.0.0-alpha.beta", "1.0.0-beta.2",
                                            "1.0.0-beta.11", "1.0.0-rc.1",    "1.0.0",            "1.0.1",
                                            "1.10"};
  for (std::size_t i = 1; i < ordered.size(); ++i)
    CHECK_MESSAGE(*SemanticVersion::parse(ordered[i - 1]) < *SemanticVersion::parse(ordered[i]), ordered[i]);
  CHECK(*SemanticVersion::parse("1.2.3+a") == *SemanticVersion::parse("v1.2.3+b"));
}

TEST_CASE("a constraint admits what it says") {
  struct Row {
    const char* constraint;
    std::vector<const char*> admitted, refused;
  };
  const std::vector<Row> rows = {
      {"1.2.3", {"1.2.3"}, {"1.2.4", "1.2"}},
      {"1.2", {"1.2.0", "1.2.9"}, {"1.3.0"}},
      {"=1.2.x", {"1.2.7"}, {"1.3"}},
      {"*", {"0.1", "9"}, {"1.0.0-rc1"}},
      {"!=1.2", {"1.3"}, {"1.2.5"}},
      {">1.2", {"1.3"}, {"1.2.9"}},
      {">1.2.3", {"1.2.4"}, {"1.2.3"}},
      {"<=1.2", {"1.2.9", "0.1"}, {"1.3"}},
      {"<1.2", {"1.1.9"}, {"1.2.0"}},
      {"~1.2.3", {"1.2.9"}, {"1.3", "1.2.2"}},
      {"~>1", {"1.9"}, {"2"}},
      {"^1.2", {"1.9.9"}, {"2", "1.1"}},
      {"^0.2.3", {"0.2.9"}, {"0.3", "0.2.2"}},
      {"^0.0.3", {"0.0.3"}, {"0.0.4"}},
      {"1.2 - 1.4.5", {"1.2.0", "1.4.5"}, {"1.4.6", "1.1"}},
      {">= 1.2, < 3", {"1.2", "2.9"}, {"3.0", "1.1"}},
      {">=1.2 <1.3 || 2", {"1.2.5", "2.4"}, {"1.3", "3"}},
      {">=1.0-0", {"1.0.0-rc1", "1.5"}, {"0.9"}},
  };
  for (const Row& row : rows) {
    const auto constraint = VersionConstraint::parse(row.constraint);
    for (const char* version : row.admitted)
      CHECK_MESSAGE(constraint.admits(*SemanticVersion::parse(version)), row.constraint, " ", version);
    for (const char* version : row.refused)
      CHECK_FALSE_MESSAGE(constraint.admits(*SemanticVersion::parse(version)), row.constraint, " ", version);
  }
}

TEST_CASE("what is no constraint is refused") {
  for (const char* text : {"", " ", "||", "1.2 ||", "abc", "=>=1", ">", "1.2.3.4", "1.x.3"})
    CHECK_MESSAGE(kind_of([&] { VersionConstraint::parse(text); }) == Kind::invalid_input, text);
}

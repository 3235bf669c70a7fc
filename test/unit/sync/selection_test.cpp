#include "sync/selection.hpp"

#include <doctest/doctest.h>

#include "support/errors.hpp"

using namespace lade;
using namespace lade::test;

TEST_CASE("a tag has to pass every rule of a selection") {
  sync::TagSelection selection;
  CHECK(sync::make_tag_filter(selection)("anything"));
  selection.include = {"1.*", "2.*"};
  selection.exclude = {"*-rc*"};
  selection.semver = ">=1.1-0";
  selection.regex = "[0-9]$";
  const auto filter = sync::make_tag_filter(selection);
  CHECK(filter("1.1"));
  CHECK(filter("2.0"));
  CHECK_FALSE(filter("1.0"));
  CHECK_FALSE(filter("2.0-rc1"));
  CHECK_FALSE(filter("3.0"));
  CHECK_FALSE(filter("1.1.0-x"));
}

TEST_CASE("a regular expression is found anywhere in a tag") {
  CHECK(sync::matching_regex("at")("latest"));
  CHECK(sync::matching_regex("(?i)LAT")("latest"));
  CHECK_FALSE(sync::matching_regex("^at")("latest"));
  CHECK(message_of([] { sync::matching_regex("("); }).starts_with("error parsing regexp: "));
}

TEST_CASE("a regular expression takes time linear in the tag") {
  CHECK_FALSE(sync::matching_regex("^(a+)+$")(std::string(100000, 'a') + "b"));
}

#include "common/yaml.hpp"

#include <doctest/doctest.h>

using lade::common::dump_yaml;
using lade::spec::Json;

TEST_CASE("yaml: members are sorted, lists stand below their keys") {
  CHECK(dump_yaml({{"b", {{"y", 1}, {"x", true}}}, {"a", Json::array({"one", "two"})}}) ==
        "a:\n- one\n- two\nb:\n  x: true\n  \"y\": 1\n");
  CHECK(dump_yaml({{"a", Json::object()}, {"b", Json::array()}, {"c", nullptr}}) == "a: {}\nb: []\nc: null\n");
  CHECK(dump_yaml({{"a", Json::array({Json{{"k", 1}, {"l", 2}}, Json{{"k", 3}}})}}) ==
        "a:\n- k: 1\n  l: 2\n- k: 3\n");
}

TEST_CASE("yaml: texts that could be taken for something else are quoted") {
  CHECK(dump_yaml({{"a", "12"}}) == "a: \"12\"\n");
  CHECK(dump_yaml({{"a", ""}}) == "a: \"\"\n");
  CHECK(dump_yaml({{"a", "true"}}) == "a: \"true\"\n");
  CHECK(dump_yaml({{"a", "x: y"}}) == "a: 'x: y'\n");
  CHECK(dump_yaml({{"a", "it's # so"}}) == "a: 'it''s # so'\n");
  CHECK(dump_yaml({{"a", "/usr/share: x"}}) == "a: '/usr/share: x'\n");
  CHECK(dump_yaml({{"a", "6.18.44-vm"}}) == "a: 6.18.44-vm\n");
  CHECK(dump_yaml({{"a", "4.3.1"}}) == "a: 4.3.1\n");
}

TEST_CASE("yaml: several lines are a block") {
  CHECK(dump_yaml({{"a", {{"b", "one\n\ntwo"}}}}) == "a:\n  b: |-\n    one\n\n    two\n");
}

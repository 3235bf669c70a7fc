#include "spec/json.hpp"

#include <doctest/doctest.h>

#include "support/errors.hpp"

using namespace lade::spec;
using lade::test::kind_of;
using lade::test::message_of;

namespace {

std::string fault(const std::string& text, std::size_t limit = max_manifest_size) {
  CHECK(kind_of([&] { parse_json(text, "x", limit); }) == lade::Kind::invalid_input);
  CHECK_FALSE(try_parse_json(text, limit));
  return message_of([&] { parse_json(text, "x", limit); });
}

std::string nested(int depth) {
  return std::string(static_cast<std::size_t>(depth), '[') +
         std::string(static_cast<std::size_t>(depth), ']');
}

}  // namespace

TEST_CASE("json: a document keeps the order of its members") {
  const std::string text = R"({"z":1,"a":[true,null,-2,"x"],"m":{"b":{},"a":[]}})";
  CHECK(dump_json(parse_json(text, "x")) == text);
}

TEST_CASE("json: bytes that are not one document are refused with their place") {
  CHECK(fault("{\"a\":}") == "x: invalid JSON at byte 6");
  CHECK(fault("") == "x: invalid JSON at byte 1");
  CHECK(fault("{} {}") == "x: invalid JSON at byte 4");
  CHECK(fault("\"\xff\"") == "x: invalid JSON at byte 2");
  CHECK(fault("[1,]") == "x: invalid JSON at byte 4");
  CHECK(fault("1e999") == "x: invalid JSON at byte 5");
}

TEST_CASE("json: depth, size and the number of values are limited") {
  CHECK(parse_json(nested(max_json_depth), "x").is_array());
  CHECK(fault(nested(max_json_depth + 1)) == "x: nested deeper than 64 levels");
  CHECK(fault(nested(1'000'000)) == "x: nested deeper than 64 levels");
  CHECK(parse_json("[12]", "x", 4).is_array());
  CHECK(fault("[123]", 4) == "x: larger than 4 bytes");
  std::string many = "[0";
  for (std::size_t i = 0; i < max_json_values; ++i) many += ",0";
  CHECK(fault(many + "]") == "x: more than 500000 values");
}

TEST_CASE("json: a member that occurs twice in one object is refused, also an escaped one") {
  CHECK(fault(R"({"a":1,"a":2})") == "x: member \"a\" occurs twice");
  CHECK(fault(R"({"b":{"a":1,"\u0061":2}})") == "x: member \"a\" occurs twice");
  CHECK(parse_json(R"([{"a":1},{"a":{"a":2}}])", "x").size() == 2);
}

TEST_CASE("json: an object of very many members is parsed in linear time") {
  std::string text = "{\"k\":0";
  for (int i = 0; i < 300'000; ++i) text += ",\"" + std::to_string(i) + "\":0";
  CHECK(parse_json(text + "}", "x").size() == 300'001);
}

TEST_CASE("json: text is written as Go writes it") {
  CHECK(dump_json("<a>&'\"\\/") == R"("\u003ca\u003e\u0026'\"\\/")");
  CHECK(dump_json(std::string("\n\r\t\b\f\x01\x1f\x7f", 8)) ==
        "\"\\n\\r\\t\\u0008\\u000c\\u0001\\u001f\x7f\"");
  CHECK(dump_json("\xE2\x80\xA8 \xE2\x80\xA9 \xE2\x80\xAA \xC3\xA9 \xF0\x9F\x90\xB3") ==
        "\"\\u2028 \\u2029 \xE2\x80\xAA \xC3\xA9 \xF0\x9F\x90\xB3\"");
}

TEST_CASE("json: invalid UTF-8 is replaced byte by byte") {
  CHECK(dump_json("a\xff"
                  "b") == "\"a\\ufffdb\"");
  CHECK(dump_json("\xC0\xAF") == "\"\\ufffd\\ufffd\"");
  CHECK(dump_json("\xED\xA0\x80") == "\"\\ufffd\\ufffd\\ufffd\"");
  CHECK(dump_json("\xF4\x90\x80\x80") == "\"\\ufffd\\ufffd\\ufffd\\ufffd\"");
  CHECK(dump_json("\xE2\x80") == "\"\\ufffd\\ufffd\"");
}

TEST_CASE("json: numbers are written as Go writes them") {
  CHECK(dump_json(parse_json("[0,-1,18446744073709551615,-9223372036854775808]", "x")) ==
        "[0,-1,18446744073709551615,-9223372036854775808]");
  CHECK(dump_json(parse_json("[1.5,1e3,1e-7,1.25e-10,1e21,-0.0,0.000001]", "x")) ==
        "[1.5,1000,1e-7,1.25e-10,1e+21,0,0.000001]");
}

TEST_CASE("json: indentation is that of json.MarshalIndent") {
  CHECK(dump_json(parse_json(R"({"a":[1,{"b":null}],"e":{},"f":[]})", "x"), 4) ==
        "{\n    \"a\": [\n        1,\n        {\n            \"b\": null\n        }\n    ],\n"
        "    \"e\": {},\n    \"f\": []\n}");
}

TEST_CASE("json: members are read as Go reads them, null like absent") {
  const Json object = parse_json(R"({"s":"t","n":null,"b":true,"z":7,"l":["a",null],"m":{"k":"v"}})", "x");
  CHECK(find_member(object, "n") == nullptr);
  CHECK(string_member(object, "s", "x") == "t");
  CHECK(string_member(object, "n", "x").empty());
  CHECK(bool_member(object, "b", "x"));
  CHECK(size_member(object, "z", "x") == 7U);
  CHECK_FALSE(size_member(object, "none", "x"));
  CHECK(strings_member(object, "l", "x") == std::vector<std::string>{"a", ""});
  CHECK(string_map_member(object, "m", "x")->at("k") == "v");
  CHECK(array_member(object, "none", "x").empty());
}

TEST_CASE("json: members of another type are refused by name") {
  const Json object = parse_json(R"({"o":{"k":1},"l":[1]})", "x");
  CHECK(message_of([&] { string_member(object, "o", "doc"); }) == "doc: o is not a string");
  CHECK(message_of([&] { bool_member(object, "o", "doc"); }) == "doc: o is not a boolean");
  CHECK(message_of([&] { strings_member(object, "l", "doc"); }) == "doc: l is not a string");
  CHECK(message_of([&] { strings_member(object, "o", "doc"); }) == "doc: o is not a list of strings");
  CHECK(message_of([&] { string_map_member(object, "l", "doc"); }) == "doc: l is not an object of strings");
  CHECK(message_of([&] { string_map_member(object, "o", "doc"); }) == "doc: o is not a string");
  CHECK(message_of([&] { array_member(object, "o", "doc"); }) == "doc: o is not a list");
}

TEST_CASE("json: sizes are integers that fit int64") {
  for (const std::string text : {"-1", "1.0", "1e3", "9223372036854775808", "\"1\"", "[]", "true"}) {
    CAPTURE(text);
    const Json object = parse_json("{\"size\":" + text + "}", "x");
    CHECK_THROWS_AS(size_member(object, "size", "x"), lade::Error);
  }
  CHECK(size_member(parse_json(R"({"size":9223372036854775807})", "x"), "size", "x") == 9223372036854775807U);
}

#include <doctest/doctest.h>

#include "spec/base64.hpp"
#include "spec/manifest.hpp"
#include "support/errors.hpp"

using namespace lade::spec;
using lade::test::kind_of;

namespace {

std::string signature(const std::string& header) {
  return R"({"header":{},"signature":"x","protected":")" + base64url_encode(header) + "\"}";
}

std::string format(std::size_t length, const std::string& tail) {
  return "{\"formatLength\":" + std::to_string(length) + ",\"formatTail\":\"" + base64url_encode(tail) +
         "\"}";
}

const std::string head = R"({"schemaVersion":1,"name":"a")";

std::string with_signatures(const std::string& list) {
  return head + ",\"signatures\":[" + list + "]}";
}

}  // namespace

TEST_CASE("payload: all but signed manifests of schema 1 are their own payload") {
  for (const std::string text :
       {R"({"schemaVersion":2,"signatures":[]})", R"({"schemaVersion":1})", "not json", ""})
    CHECK(manifest_payload(text) == text);
}

TEST_CASE("payload: the signatures are cut out and the tail is put back") {
  const std::string one = signature(format(head.size(), "\n}"));
  CHECK(manifest_payload(with_signatures(one)) == head + "\n}");
  CHECK(manifest_payload(with_signatures(one + "," + one)) == head + "\n}");
}

TEST_CASE("payload: broken signatures are refused") {
  const std::string good = signature(format(head.size(), "}"));
  const std::string rows[] = {"",
                              "3",
                              signature("{}"),
                              signature("not json"),
                              signature("[]"),
                              signature(R"({"formatLength":-1,"formatTail":""})"),
                              signature(format(1'000'000, "}")),
                              good + "," + signature(format(head.size(), "]")),
                              R"({"protected":"***"})",
                              "{}"};
  for (const std::string& list : rows) {
    CAPTURE(list);
    CHECK(kind_of([&] { manifest_payload(with_signatures(list)); }) == lade::Kind::invalid_input);
  }
}

#include "trust/payload.hpp"

#include <doctest/doctest.h>

#include "support/errors.hpp"

using namespace lade;
using namespace lade::test;
using trust::PayloadType;

namespace {

const std::string some_digest = "sha256:" + std::string(64, 'a');

std::string document(const std::string& critical, const std::string& optional = "{}") {
  return "{\"critical\":" + critical + ",\"optional\":" + optional + "}";
}

std::string critical(const std::string& type, const std::string& more = "") {
  return "{\"identity\":{\"docker-reference\":\"a.test/r:1\"},\"image\":{\"docker-manifest-digest\":\"" +
         some_digest + "\"},\"type\":\"" + type + "\"" + more + "}";
}

const std::string simple = critical("atomic container signature");

std::string refusal(const std::string& text, PayloadType type = PayloadType::simple_signing) {
  const auto error = error_of([&] { trust::parse_payload(text, type); });
  CHECK(error.kind() == Kind::denied);
  return error.what();
}

}  // namespace

TEST_CASE("payload: what is written is what containers/image writes, and is read back") {
  const auto manifest = spec::Digest::parse(some_digest);
  const auto text = trust::serialize({manifest, "a.test/r:1", "me", 1700000000}, PayloadType::simple_signing);
  CHECK(text == document(simple, R"({"creator":"me","timestamp":1700000000})"));
  const auto read = trust::parse_payload(text, PayloadType::simple_signing);
  CHECK(read.manifest == manifest);
  CHECK(read.reference == "a.test/r:1");
  CHECK(read.creator == "me");
  CHECK(read.timestamp == 1700000000);
}

TEST_CASE("payload: only \"optional\" may have members that nobody knows") {
  CHECK(trust::parse_payload(document(simple, R"({"x":[1],"timestamp":1e3})"), PayloadType::simple_signing)
            .timestamp == 1000);
  CHECK(refusal(document(critical("atomic container signature", ",\"x\":1"))) == "Unrecognized key \"x\"");
  CHECK(refusal("{\"critical\":" + simple + ",\"optional\":{},\"x\":1}") == "Unrecognized key \"x\"");
  CHECK(refusal("{\"critical\":" + simple + "}") == "Key \"optional\" missing in a JSON object");
}

TEST_CASE("payload: members given twice, broken and truncated documents are refused") {
  refusal("{\"critical\":" + simple + ",\"critical\":" + simple + ",\"optional\":{}}");
  const std::string whole = document(simple);
  for (std::size_t size = 0; size < whole.size(); ++size) refusal(whole.substr(0, size));
  refusal(whole + "x");
}

TEST_CASE("payload: a signature of one kind is none of the other") {
  CHECK(refusal(document(simple), PayloadType::sigstore) ==
        "Unrecognized signature type atomic container signature");
  CHECK(refusal(document(critical("cosign container image signature"))) ==
        "Unrecognized signature type cosign container image signature");
}

TEST_CASE("payload: cosign's null for \"optional\" is nothing special in its own signatures only") {
  const auto text = document(critical("cosign container image signature"), "null");
  CHECK(trust::parse_payload(text, PayloadType::sigstore).reference == "a.test/r:1");
  refusal(document(simple, "null"));
}

TEST_CASE("payload: digests and times must be such") {
  refusal(document(R"({"identity":{"docker-reference":"a"},"image":{"docker-manifest-digest":"sha256:1"},)"
                   R"("type":"atomic container signature"})"));
  CHECK(refusal(document(simple, R"({"timestamp":1.5})")) == "Field optional.timestamp is not an integer");
  refusal(document(simple, R"({"timestamp":"1"})"));
  refusal(document(simple, R"({"timestamp":1e300})"));
}

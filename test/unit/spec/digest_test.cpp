#include "spec/digest.hpp"

#include <doctest/doctest.h>

#include <unordered_set>

#include "support/errors.hpp"

using lade::spec::Digest;
using lade::test::message_of;

namespace {
const std::string hex64(64, 'a');
const std::string hex128(128, '0');
}  // namespace

TEST_CASE("digest: sha256 and sha512 texts round-trip") {
  for (const std::string& text : {"sha256:" + hex64, "sha512:" + hex128}) {
    CAPTURE(text);
    CHECK(Digest::parse(text).str() == text);
    CHECK(Digest::try_parse(text) == Digest::parse(text));
  }
  CHECK(Digest::parse("sha512:" + hex128).algorithm() == Digest::Algorithm::sha512);
  CHECK(Digest::parse("sha256:" + hex64).algorithm_name() == "sha256");
}

TEST_CASE("digest: what is no digest is refused with go-digest's words") {
  const auto fault = [](const std::string& text) {
    CHECK_FALSE(Digest::try_parse(text));
    return message_of([&] { Digest::parse(text); });
  };
  CHECK(fault("") == "invalid checksum digest format");
  CHECK(fault("sha256") == "invalid checksum digest format");
  CHECK(fault("sha256:") == "invalid checksum digest format");
  CHECK(fault(":" + hex64) == "invalid checksum digest format");
  CHECK(fault("sha256:" + std::string(64, 'A')) == "invalid checksum digest format");
  CHECK(fault("sha256:../" + std::string(61, 'a')) == "invalid checksum digest format");
  CHECK(fault("sha256:" + hex64 + "\n") == "invalid checksum digest format");
  CHECK(fault("sha256:abc") == "invalid checksum digest length");
  CHECK(fault("sha512:" + hex64) == "invalid checksum digest length");
  CHECK(fault("md5:" + hex64) == "unsupported digest algorithm");
  CHECK(fault("SHA256:" + hex64) == "unsupported digest algorithm");
}

TEST_CASE("digest: from_hex takes only as much hex as the algorithm gives") {
  CHECK(Digest::from_hex(Digest::Algorithm::sha256, hex64).str() == "sha256:" + hex64);
  CHECK_THROWS_AS(Digest::from_hex(Digest::Algorithm::sha256, hex128), lade::Error);
  CHECK(Digest::from_hex(Digest::Algorithm::sha256, hex64).short_hex() == "aaaaaaaaaaaa");
}

TEST_CASE("digest: digests can be keys") {
  const std::unordered_set<Digest> set{Digest::parse("sha256:" + hex64), Digest::parse("sha256:" + hex64),
                                       Digest::parse("sha512:" + hex128)};
  CHECK(set.size() == 2);
}

#include "config/tls_details.hpp"

#include <doctest/doctest.h>

#include "support/errors.hpp"

using namespace lade;
using config::parse_tls_details;

TEST_CASE("TLS details: every field is optional") {
  const auto none = parse_tls_details("", "f");
  CHECK(none.min_version.empty());
  CHECK_FALSE(none.cipher_suites);
  CHECK(none.named_groups.empty());
  const auto all = parse_tls_details(
      "minVersion: \"1.2\"\ncipherSuites: [TLS_AES_128_GCM_SHA256]\nnamedGroups:\n  - x25519\n  - "
      "secp256r1\n",
      "f");
  CHECK(all.min_version == "1.2");
  CHECK(all.cipher_suites == std::vector<std::string>{"TLS_AES_128_GCM_SHA256"});
  CHECK(all.named_groups == std::vector<std::string>{"x25519", "secp256r1"});
}

TEST_CASE("TLS details: an empty list of cipher suites is not the same as none") {
  const auto details = parse_tls_details("cipherSuites: []\n", "f");
  REQUIRE(details.cipher_suites);
  CHECK(details.cipher_suites->empty());
}

TEST_CASE("TLS details: unknown keys, versions and types are refused with their line") {
  CHECK(test::message_of([] { parse_tls_details("\nminVersion: \"1.4\"\n", "f"); }) ==
        "f:2: minVersion: unrecognized TLS minimum version \"1.4\"");
  CHECK(test::message_of([] { parse_tls_details("maxVersion: \"1.3\"\n", "f"); }) ==
        "f:1: maxVersion: unknown key");
  CHECK(test::message_of([] { parse_tls_details("cipherSuites: x\n", "f"); }) ==
        "f:1: cipherSuites: must be a list of strings");
  CHECK(test::kind_of([] { parse_tls_details("namedGroups: [[x]]\n", "f"); }) == Kind::invalid_input);
  CHECK(test::kind_of([] { parse_tls_details("minVersion: [1]\n", "f"); }) == Kind::invalid_input);
  CHECK(test::kind_of([] { parse_tls_details("- x\n", "f"); }) == Kind::invalid_input);
}

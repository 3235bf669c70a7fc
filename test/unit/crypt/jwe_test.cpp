#include "crypt/jwe.hpp"

#include <doctest/doctest.h>

#include "crypt/fixture.hpp"
#include "spec/base64.hpp"
#include "support/errors.hpp"

using namespace lade;
using namespace lade::test;

namespace {

spec::Json parsed(const std::string& jwe) {
  return spec::parse_json(jwe, "JWE");
}

// What decrypting it throws.
Kind refusal(const spec::Json& jwe) {
  return kind_of([&] { crypt::decrypt_jwe(spec::dump_json(jwe), {rsa_key(), ec_key()}); });
}

spec::Json with_header(const spec::Json& header) {
  auto jwe = parsed(crypt::encrypt_jwe("text", {recipient(rsa_key())}));
  jwe["protected"] = spec::base64url_encode(spec::dump_json(header));
  return jwe;
}

}  // namespace

TEST_CASE("JWE: each recipient reads the text, and nobody else") {
  const auto jwe = crypt::encrypt_jwe("text", {recipient(rsa_key()), recipient(ec_key())});
  CHECK(crypt::decrypt_jwe(jwe, {rsa_key()}) == "text");
  CHECK(crypt::decrypt_jwe(jwe, {ec_key()}) == "text");
  CHECK(crypt::decrypt_jwe(jwe, {other_rsa_key(), ec_key()}) == "text");
  CHECK_FALSE(crypt::decrypt_jwe(jwe, {other_rsa_key()}));
  CHECK_FALSE(crypt::decrypt_jwe(jwe, {crypt::generate_ec_key("P-384")}));
  CHECK_FALSE(crypt::decrypt_jwe(jwe, {crypt::generate_ec_key("P-256")}));
  CHECK_FALSE(crypt::decrypt_jwe(jwe, {}));
}

TEST_CASE("JWE: for one recipient it is flattened and its algorithm protected") {
  const auto jwe = parsed(crypt::encrypt_jwe("text", {recipient(rsa_key())}));
  CHECK_FALSE(jwe.contains("recipients"));
  const auto header = parsed(*spec::base64url_decode(jwe["protected"].get<std::string>()));
  CHECK(header == spec::Json{{"enc", "A256GCM"}, {"alg", "RSA-OAEP"}});
}

TEST_CASE("JWE: every algorithm that a key can name works, on every curve") {
  for (const char* algorithm : {"RSA-OAEP", "RSA-OAEP-256"}) {
    CHECK(crypt::decrypt_jwe(crypt::encrypt_jwe("text", {{rsa_key(), algorithm, "id"}}), {rsa_key()}) ==
          "text");
  }
  for (const char* curve : {"P-256", "P-384", "P-521"}) {
    const auto key = crypt::generate_ec_key(curve);
    for (const char* algorithm : {"ECDH-ES+A128KW", "ECDH-ES+A192KW", "ECDH-ES+A256KW"})
      CHECK(crypt::decrypt_jwe(crypt::encrypt_jwe("text", {{key, algorithm, ""}}), {key}) == "text");
  }
}

TEST_CASE("JWE: an algorithm that does not go with the key is refused") {
  CHECK(kind_of([] { crypt::encrypt_jwe("text", {{ec_key(), "RSA-OAEP", ""}}); }) == Kind::unsupported);
  CHECK(kind_of([] { crypt::encrypt_jwe("text", {{rsa_key(), "dir", ""}}); }) == Kind::unsupported);
}

TEST_CASE("JWE: a change of any part is noticed") {
  const auto original = parsed(crypt::encrypt_jwe("text", {recipient(rsa_key())}));
  for (const char* part : {"ciphertext", "tag", "iv", "encrypted_key"}) {
    auto jwe = original;
    auto bytes = *spec::base64url_decode(jwe[part].get<std::string>());
    bytes[0] = static_cast<char>(bytes[0] ^ 1);
    jwe[part] = spec::base64url_encode(bytes);
    CAPTURE(part);
    CHECK_FALSE(crypt::decrypt_jwe(spec::dump_json(jwe), {rsa_key()}));
  }
  const spec::Json header = {{"alg", "RSA-OAEP"}, {"enc", "A256GCM"}, {"kid", "x"}};
  CHECK_FALSE(crypt::decrypt_jwe(spec::dump_json(with_header(header)), {rsa_key()}));
}

TEST_CASE("JWE: what is none, or is encrypted in another way, is refused") {
  CHECK(kind_of([] { crypt::decrypt_jwe("a.b.c.d.e", {rsa_key()}); }) == Kind::invalid_input);
  CHECK(refusal(spec::Json::array()) == Kind::invalid_input);
  CHECK(refusal({{"protected", "!"}}) == Kind::invalid_input);
  CHECK(refusal({{"protected", "e30"}, {"recipients", 1}}) == Kind::invalid_input);
  CHECK(refusal(with_header({{"alg", "RSA-OAEP"}, {"enc", "A128CBC-HS256"}})) == Kind::unsupported);
  CHECK(refusal(with_header({{"alg", "RSA-OAEP"}, {"enc", "A256GCM"}, {"zip", "DEF"}})) == Kind::unsupported);
  CHECK(refusal(with_header({{"alg", "RSA-OAEP"}, {"enc", "A256GCM"}, {"crit", {"x"}}})) ==
        Kind::unsupported);
  auto twice = with_header({{"alg", "RSA-OAEP"}, {"enc", "A256GCM"}});
  twice["header"] = {{"alg", "RSA-OAEP"}};
  CHECK(refusal(twice) == Kind::invalid_input);
}

TEST_CASE("JWE: more recipients than anybody has are refused") {
  auto jwe = with_header({{"alg", "RSA-OAEP"}, {"enc", "A256GCM"}});
  jwe["recipients"] = spec::Json::array();
  for (int i = 0; i < 65; ++i) jwe["recipients"].push_back({{"encrypted_key", "AAAA"}});
  CHECK(refusal(jwe) == Kind::invalid_input);
}

TEST_CASE("JWE: a point that is not on the curve is refused") {
  auto epk = crypt::ec_public_jwk(ec_key());
  epk["y"] = epk["x"];
  CHECK(refusal(with_header({{"alg", "ECDH-ES+A256KW"}, {"enc", "A256GCM"}, {"epk", epk}})) ==
        Kind::invalid_input);
}

#include "crypt/keys.hpp"

#include <doctest/doctest.h>

#include <fstream>

#include "crypt/fixture.hpp"
#include "crypt/jwe.hpp"
#include "spec/base64.hpp"
#include "support/errors.hpp"
#include "support/temp_dir.hpp"

using namespace lade;
using namespace lade::test;

namespace {

std::string write(const std::filesystem::path& path, const std::string& text) {
  std::ofstream(path) << text;
  return path.string();
}

spec::Json private_jwk(const crypt::Key& key) {
  BIGNUM* number = nullptr;
  EVP_PKEY_get_bn_param(key.get(), OSSL_PKEY_PARAM_PRIV_KEY, &number);
  const crypt::BignumHandle owner(number);
  std::string bytes(static_cast<std::size_t>(BN_num_bytes(number)), '\0');
  BN_bn2bin(number, crypt::bytes_of(bytes));
  auto jwk = crypt::ec_public_jwk(key);
  jwk["d"] = spec::base64url_encode(bytes);
  return jwk;
}

}  // namespace

TEST_CASE("keys: recipients are public keys and certificates in files") {
  const Directory directory;
  const auto rsa = write(directory.path() / "rsa", public_pem(rsa_key()));
  const auto certificate = write(directory.path() / "crt", certificate_pem(certificate_of(rsa_key())));
  const auto recipients = crypt::read_recipients({"jwe:" + rsa, "pkcs7:" + certificate});
  CHECK(recipients.jwe.size() == 1);
  CHECK(recipients.jwe.at(0).algorithm == "RSA-OAEP");
  CHECK(recipients.pkcs7.size() == 1);
  CHECK(message_of([&] { crypt::read_recipients({"jwe:" + certificate}); }) ==
        "jwe:" + certificate + ": File provided is not a public key");
  CHECK(message_of([&] { crypt::read_recipients({"pkcs7:" + rsa}); }) ==
        "pkcs7:" + rsa + ": File provided is not an x509 cert");
}

TEST_CASE("keys: what ocicrypt knows besides is refused by name") {
  CHECK(kind_of([] { crypt::read_recipients({"pgp:me@example.com"}); }) == Kind::unsupported);
  CHECK(kind_of([] { crypt::read_recipients({"pkcs11:token"}); }) == Kind::unsupported);
  CHECK(kind_of([] { crypt::read_recipients({"provider:grpc"}); }) == Kind::unsupported);
  CHECK(kind_of([] { crypt::read_decryption_keys({"provider:grpc"}); }) == Kind::unsupported);
  CHECK(message_of([] { crypt::read_recipients({"key.pem"}); }) == "Invalid recipient format");
  CHECK(message_of([] { crypt::read_recipients({"rot13:key"}); }) == "Provided protocol not recognized");
}

TEST_CASE("keys: a private key may have a password, given in several ways") {
  const Directory directory;
  const auto key = write(directory.path() / "key", private_pem(rsa_key(), "secret"));
  const auto password = write(directory.path() / "password", "secret");
  for (const std::string& given : {std::string("secret"), std::string("pass=secret"), "file=" + password})
    CHECK(crypt::read_decryption_keys({key + ":" + given}).keys.size() == 1);
  CHECK(message_of([&] { crypt::read_decryption_keys({key + ":other"}); }) ==
        key + ": Wrong password: could not decrypt private key");
  CHECK(message_of([&] { crypt::read_decryption_keys({key}); }) ==
        key + ": Missing password for encrypted private key");
}

TEST_CASE("keys: a certificate alone decrypts nothing, and a public key is no private one") {
  const Directory directory;
  const auto certificate = write(directory.path() / "crt", certificate_pem(certificate_of(rsa_key())));
  const auto key = write(directory.path() / "pub", public_pem(rsa_key()));
  CHECK(kind_of([&] { crypt::read_decryption_keys({certificate}); }) == Kind::invalid_input);
  CHECK(kind_of([&] { crypt::read_decryption_keys({key}); }) == Kind::invalid_input);
  const auto openpgp = write(directory.path() / "pgp", "-----BEGIN PGP PRIVATE KEY BLOCK-----\n");
  CHECK(kind_of([&] { crypt::read_decryption_keys({openpgp}); }) == Kind::unsupported);
}

TEST_CASE("keys: JWKs name their algorithm and themselves") {
  auto jwk = crypt::ec_public_jwk(ec_key());
  jwk["alg"] = "ECDH-ES+A128KW";
  jwk["kid"] = "mine";
  const auto recipient = crypt::parse_jwe_recipient(spec::dump_json(jwk));
  CHECK(recipient.algorithm == "ECDH-ES+A128KW");
  CHECK(recipient.key_id == "mine");
  const auto key = crypt::parse_private_key(spec::dump_json(private_jwk(ec_key())), "");
  REQUIRE(key);
  CHECK(crypt::decrypt_jwe(crypt::encrypt_jwe("text", {recipient}), {key}) == "text");
  jwk["alg"] = "dir";
  CHECK(kind_of([&] { crypt::parse_jwe_recipient(spec::dump_json(jwk)); }) == Kind::unsupported);
  CHECK(kind_of([&] { crypt::parse_jwe_recipient(spec::dump_json(private_jwk(ec_key()))); }) ==
        Kind::invalid_input);
}

TEST_CASE("keys: an RSA key given as JWK is the same key") {
  // RFC 7516 appendix A.1, whose RSA key is published.
  const std::string jwe_key =
      R"({"kty":"RSA","n":"oahUIoWw0K0usKNuOR6H4wkf4oBUXHTxRvgb48E-BVvxkeDNjbC4he8rUWcJoZmds2h7M70imEVhRU5djINXtqllXI4DFqcI1DgjT9LewND8MW2Krf3Spsk_ZkoFnilakGygTwpZ3uesH-PFABNIUYpOiN15dsQRkgr0vEhxN92i2asbOenSZeyaxziK72UwxrrKoExv6kc5twXTq4h-QChLOln0_mtUZwfsRaMStPs6mS6XrgxnxbWhojf663tuEQueGC-FCMfra36C9knDFGzKsNa7LZK2djYgyD3JR_MB_4NUJW_TqOQtwHYbxevoJArm-L5StowjzGy-_bq6Gw","e":"AQAB"})";
  const auto recipient = crypt::parse_jwe_recipient(jwe_key);
  CHECK(recipient.algorithm == "RSA-OAEP");
  CHECK(crypt::encrypt_jwe("text", {recipient}).size() > 100);
}

TEST_CASE("keys: weak RSA keys and other curves are refused") {
  const crypt::Key weak(EVP_RSA_gen(1024), EVP_PKEY_free),
      edwards(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"), EVP_PKEY_free);
  CHECK(kind_of([&] { crypt::parse_jwe_recipient(public_pem(weak)); }) == Kind::invalid_input);
  CHECK(kind_of([&] { crypt::parse_pkcs7_recipient(certificate_pem(certificate_of(weak))); }) ==
        Kind::invalid_input);
  CHECK(kind_of([&] { crypt::parse_jwe_recipient(public_pem(edwards)); }) == Kind::unsupported);
  CHECK(kind_of([&] { crypt::parse_pkcs7_recipient(certificate_pem(certificate_of(ec_key()))); }) ==
        Kind::unsupported);
}

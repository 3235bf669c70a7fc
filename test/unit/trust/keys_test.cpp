#include "trust/keys.hpp"

#include <doctest/doctest.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "support/errors.hpp"
#include "trust/cosign_key.hpp"
#include "trust/secretbox.hpp"

using namespace lade;
using namespace lade::test;

namespace {

std::string from_hex(std::string_view hex) {
  std::string result;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2)
    result.push_back(static_cast<char>(std::stoi(std::string(hex.substr(i, 2)), nullptr, 16)));
  return result;
}

// PKCS #1 or PKCS #8; takes the key.
std::string der_of(EVP_PKEY* key) {
  unsigned char* bytes = nullptr;
  const int size = i2d_PrivateKey(key, &bytes);
  const std::string result(reinterpret_cast<char*>(bytes), static_cast<std::size_t>(size));
  OPENSSL_free(bytes);
  EVP_PKEY_free(key);
  return result;
}

// The one of NaCl's tests (tests/secretbox.c).
const std::string box_key = from_hex("1b27556473e985d462cd51197a9a46c76009549eac6474f206c4ee0844f68389"),
                  box_nonce = from_hex("69696ee955b62b73cd62bda875fc73d68219e0036b7a0b37"),
                  box_text = from_hex(
                      "be075fc53c81f2d5cf141316ebeb0c7b5228c52a4c62cbd44b66849b64244ffce5ecbaaf33bd751a"
                      "1ac728d45e6c61296cdc3c01233561f41db66cce314adb310e3be8250c46f06dceea3a7fa1348057"
                      "e2f6556ad6b1318a024a838f21af1fde048977eb48f59ffd4924ca1c60902e52f0a089bc76897040"
                      "e082f937763848645e0705"),
                  box = from_hex(
                      "f3ffc7703f9400e52a7dfb4b3d3305d98e993b9f48681273c29650ba32fc76ce48332ea7164d96a4"
                      "476fb8c531a1186ac0dfc17c98dce87b4da7f011ec48c97271d2c20f9b928fe2270d6fb863d51738"
                      "b48eeee314a7cc8ab932164548e526ae90224368517acfeabd6bb3732bc0e9da99832b61ca01b6de"
                      "56244a9e88d5f9b37973f622a43d14a6599b1f654cb45a74e355a5");

}  // namespace

TEST_CASE("secretbox: NaCl's own example") {
  CHECK(trust::seal_secretbox(box_text, box_nonce, box_key) == box);
  CHECK(trust::open_secretbox(box, box_nonce, box_key) == box_text);
}

TEST_CASE("secretbox: a box that was changed, cut, or is another key's does not open") {
  for (std::size_t at = 0; at < box.size(); at += 7) {
    std::string changed = box;
    changed[at] = static_cast<char>(changed[at] ^ 1);
    CHECK_FALSE(trust::open_secretbox(changed, box_nonce, box_key));
  }
  for (const std::size_t size : {std::size_t{0}, std::size_t{15}, std::size_t{16}, box.size() - 1})
    CHECK_FALSE(trust::open_secretbox(box.substr(0, size), box_nonce, box_key));
  CHECK_FALSE(trust::open_secretbox(box, box_nonce, std::string(32, 'k')));
}

TEST_CASE("keys: a signature is good for its text and its key only") {
  const auto key = trust::PrivateKey::generate(), other = trust::PrivateKey::generate();
  const auto signature = key.sign("text");
  CHECK(key.public_key().verify("text", signature));
  CHECK_FALSE(key.public_key().verify("Text", signature));
  CHECK_FALSE(other.public_key().verify("text", signature));
  CHECK_FALSE(key.public_key().verify("text", signature.substr(0, signature.size() - 1)));
  CHECK_FALSE(key.public_key().verify("text", ""));
  CHECK(trust::PublicKey::from_pem(key.public_key().pem()).verify("text", signature));
}

TEST_CASE("keys: RSA and Ed25519 sign as well as ECDSA") {
  for (auto* generated :
       {EVP_RSA_gen(2048), EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"), EVP_EC_gen("P-384")}) {
    const auto key = trust::PrivateKey::from_der(der_of(generated));
    const auto read = trust::PublicKey::from_pem(key.public_key().pem());
    CHECK(read.verify("text", key.sign("text")));
    CHECK_FALSE(read.verify("other", key.sign("text")));
    CHECK_FALSE(read.verify("text", trust::PrivateKey::generate().sign("text")));
  }
}

TEST_CASE("keys: short RSA keys and those of other kinds are refused") {
  CHECK(message_of([] { trust::PrivateKey::from_der(der_of(EVP_RSA_gen(1024))); }) ==
        "the RSA key has less than 2048 bits");
  CHECK(message_of([] {
          trust::PrivateKey::from_der(der_of(EVP_PKEY_Q_keygen(nullptr, nullptr, "X25519")));
        }) == "unsupported key type");
}

TEST_CASE("keys: what is no public key is refused") {
  for (const auto* text : {"", "key", "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"})
    CHECK(kind_of([&] { trust::PublicKey::from_pem(text); }) == Kind::invalid_input);
}

TEST_CASE("cosign keys: the passphrase opens what it closed, another does not") {
  const auto key = trust::PrivateKey::generate();
  const auto pem = trust::encrypt_cosign_key(key, "secret");
  CHECK(pem.starts_with("-----BEGIN ENCRYPTED COSIGN PRIVATE KEY-----\n"));
  CHECK(trust::decrypt_cosign_key(pem, "secret").der() == key.der());
  const auto error = error_of([&] { trust::decrypt_cosign_key(pem, "guess"); });
  CHECK(error.kind() == Kind::denied);
  CHECK(std::string(error.what()) == "decrypt: decryption failed: wrong passphrase?");
  CHECK(trust::decrypt_cosign_key(trust::encrypt_cosign_key(key, ""), "").der() == key.der());
}

TEST_CASE("cosign keys: other PEM, and work that nobody would ask for, are refused") {
  const auto message = [](const std::string& pem) {
    return message_of([&] { trust::decrypt_cosign_key(pem, ""); });
  };
  CHECK(message("none") == "invalid pem block");
  CHECK(message(trust::PrivateKey::generate().public_key().pem()) == "unsupported pem type: PUBLIC KEY");
  // {"kdf":{"name":"scrypt","params":{"N":1073741824,"r":8,"p":1},"salt":""},"cipher":{"name":"nacl/secretbox",
  // "nonce":"AAAA..."},"ciphertext":""}
  CHECK(message("-----BEGIN ENCRYPTED SIGSTORE PRIVATE KEY-----\n"
                "eyJrZGYiOnsibmFtZSI6InNjcnlwdCIsInBhcmFtcyI6eyJOIjoxMDczNzQxODI0\n"
                "LCJyIjo4LCJwIjoxfSwic2FsdCI6IiJ9LCJjaXBoZXIiOnsibmFtZSI6Im5hY2wv\n"
                "c2VjcmV0Ym94Iiwibm9uY2UiOiJBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFB\n"
                "QUFBQSJ9LCJjaXBoZXJ0ZXh0IjoiIn0=\n"
                "-----END ENCRYPTED SIGSTORE PRIVATE KEY-----\n") == "decrypt: unexpected kdf parameters");
}

// JSON Web Signatures inside of a document, as docker/libtrust writes them (RFC 7515; ES256 of RFC 7518).
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>

#include <array>
#include <ctime>
#include <memory>

#include "base/error.hpp"
#include "image/schema1.hpp"
#include "spec/base64.hpp"
#include "spec/json.hpp"

namespace lade::image {

namespace {

constexpr int coordinate_size = 32;  // of P-256

template <auto free_function>
struct Deleter {
  template <class T>
  void operator()(T* object) const {
    free_function(object);
  }
};
using Key = std::unique_ptr<EVP_PKEY, Deleter<EVP_PKEY_free>>;
using Number = std::unique_ptr<BIGNUM, Deleter<BN_free>>;

[[noreturn]] void fail(std::string_view operation) {
  throw Error(Kind::system, "signing a manifest: OpenSSL failed to " + std::string(operation));
}

std::string padded(const BIGNUM* number) {
  std::array<unsigned char, coordinate_size> bytes{};
  if (BN_bn2binpad(number, bytes.data(), coordinate_size) != coordinate_size) fail("export a number");
  return {bytes.begin(), bytes.end()};
}

std::string coordinate(const Key& key, const char* name) {
  BIGNUM* number = nullptr;
  if (EVP_PKEY_get_bn_param(key.get(), name, &number) != 1) fail("export the public key");
  return spec::base64url_encode(padded(Number(number).get()));
}

// DER as OpenSSL makes it to r and s side by side, as JWS wants it.
std::string raw_signature(const std::string& der) {
  const auto* bytes = reinterpret_cast<const unsigned char*>(der.data());
  const std::unique_ptr<ECDSA_SIG, Deleter<ECDSA_SIG_free>> signature(
      d2i_ECDSA_SIG(nullptr, &bytes, static_cast<long>(der.size())));
  if (!signature) fail("read its own signature");
  return padded(ECDSA_SIG_get0_r(signature.get())) + padded(ECDSA_SIG_get0_s(signature.get()));
}

std::string sign_es256(const Key& key, const std::string& text) {
  const std::unique_ptr<EVP_MD_CTX, Deleter<EVP_MD_CTX_free>> context(EVP_MD_CTX_new());
  if (!context || EVP_DigestSignInit(context.get(), nullptr, EVP_sha256(), nullptr, key.get()) != 1)
    fail("begin");
  const auto* bytes = reinterpret_cast<const unsigned char*>(text.data());
  std::size_t size = 0;
  if (EVP_DigestSign(context.get(), nullptr, &size, bytes, text.size()) != 1) fail("size the signature");
  std::string der(size, '\0');
  if (EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(der.data()), &size, bytes,
                     text.size()) != 1)
    fail("sign");
  der.resize(size);
  return raw_signature(der);
}

std::string now() {
  const std::time_t seconds = std::time(nullptr);
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  std::array<char, 32> text{};
  std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &parts);
  return text.data();
}

}  // namespace

std::string sign_schema1(const std::string& payload) {
  if (!payload.ends_with('}')) throw Error(Kind::invalid_input, "signing a manifest: not an object");
  const Key key(EVP_EC_gen("P-256"));
  if (!key) fail("make a key");
  const std::size_t format_length = payload.size() - 1;
  const std::string protected_header = spec::base64url_encode(spec::dump_json(
      {{"formatLength", format_length}, {"formatTail", spec::base64url_encode("}")}, {"time", now()}}));
  const std::string signature = sign_es256(key, protected_header + "." + spec::base64url_encode(payload));

  const spec::Json public_key = {{"crv", "P-256"},
                                 {"kty", "EC"},
                                 {"x", coordinate(key, OSSL_PKEY_PARAM_EC_PUB_X)},
                                 {"y", coordinate(key, OSSL_PKEY_PARAM_EC_PUB_Y)}};
  const spec::Json entry = {{"header", {{"jwk", public_key}, {"alg", "ES256"}}},
                            {"signature", spec::base64url_encode(signature)},
                            {"protected", protected_header}};
  return payload.substr(0, format_length) + ",\"signatures\":[" + spec::dump_json(entry) + "]}";
}

}  // namespace lade::image

#include "crypt/layer_options.hpp"

#include <doctest/doctest.h>

#include "config/base64.hpp"
#include "crypt/fixture.hpp"
#include "spec/json.hpp"
#include "support/errors.hpp"

using namespace lade;
using namespace lade::test;

namespace {

constexpr const char* jwe = "org.opencontainers.image.enc.keys.jwe";
constexpr const char* public_options = "org.opencontainers.image.enc.pubopts";
const spec::Digest digest = spec::Digest::parse("sha256:" + std::string(64, 'a'));

crypt::LayerSecret make_secret() {
  return {crypt::LayerKey::generate(), digest};
}

spec::Annotations annotations(const crypt::LayerSecret& secret) {
  return crypt::encryption_annotations(secret, std::string(32, 'h'), {{recipient(rsa_key())}, {}});
}

}  // namespace

TEST_CASE("layer options: what was wrapped is opened, by either protocol") {
  const auto secret = make_secret();
  const crypt::Recipients recipients{{recipient(ec_key())}, {certificate_of(rsa_key())}};
  const auto wrapped = crypt::encryption_annotations(secret, std::string(32, 'h'), recipients);
  CHECK(wrapped.size() == 3);
  for (const auto& key : {ec_key(), rsa_key()}) {
    const auto opened = crypt::open_layer(wrapped, {{key}, {}});
    CHECK(opened.secret.key.key.bytes() == secret.key.key.bytes());
    CHECK(opened.secret.key.nonce == secret.key.nonce);
    CHECK(opened.secret.digest == digest);
    CHECK(opened.hmac == std::string(32, 'h'));
  }
}

TEST_CASE("layer options: another key is denied") {
  const auto wrapped = annotations(make_secret());
  CHECK(kind_of([&] { crypt::open_layer(wrapped, {{other_rsa_key()}, {}}); }) == Kind::denied);
  CHECK(kind_of([&] { crypt::open_layer(wrapped, {{ec_key()}, {}}); }) == Kind::denied);
}

TEST_CASE("layer options: of several wrapped keys the one that fits is taken, whatever the others are") {
  auto wrapped = annotations(make_secret());
  wrapped[jwe] = config::base64_encode("{}") + "," + config::base64_encode("no JSON") + "," + wrapped[jwe];
  CHECK(crypt::open_layer(wrapped, {{rsa_key()}, {}}).secret.digest == digest);
  std::string many = wrapped[jwe];
  for (int i = 0; i < 64; ++i) many = "e30=," + many;
  wrapped[jwe] = many;
  CHECK(kind_of([&] { crypt::open_layer(wrapped, {{rsa_key()}, {}}); }) == Kind::invalid_input);
}

TEST_CASE("layer options: protocols that lade does not have are named") {
  const spec::Annotations wrapped{{"org.opencontainers.image.enc.keys.pgp", "AAAA"},
                                  {"org.opencontainers.image.enc.keys.provider.x", "AAAA"}};
  CHECK(message_of([&] {
          crypt::open_layer(wrapped, {{rsa_key()}, {}});
        }) == "the layer's key is wrapped by pgp, provider.x only, which is not supported");
  CHECK(message_of([&] {
          crypt::open_layer({}, {{rsa_key()}, {}});
        }) == "missing Annotations needed for decryption");
}

TEST_CASE("layer options: public options of another cipher, without HMAC, or broken are refused") {
  const auto wrapped = annotations(make_secret());
  const auto refusal = [&](const std::string& options) {
    auto changed = wrapped;
    changed[public_options] = options;
    return kind_of([&] { crypt::open_layer(changed, {{rsa_key()}, {}}); });
  };
  CHECK(refusal("") == Kind::invalid_input);
  CHECK(refusal("!") == Kind::invalid_input);
  CHECK(refusal(config::base64_encode("{}")) == Kind::invalid_input);
  CHECK(refusal(config::base64_encode(R"({"cipher":"ROT13"})")) == Kind::unsupported);
  CHECK(refusal(config::base64_encode(R"({"cipher":"AES_256_CTR_HMAC_SHA256"})")) == Kind::invalid_input);
  CHECK(refusal(config::base64_encode(R"({"cipher":"AES_256_CTR_HMAC_SHA256","hmac":"AAAA"})")) ==
        Kind::invalid_input);
}

TEST_CASE("layer options: a secret with a short key or nonce is refused") {
  CHECK(kind_of([] { crypt::LayerSecret::parse(R"({"symkey":"AAAA"})"); }) == Kind::invalid_input);
  auto secret = make_secret();
  secret.key.nonce = "short";
  CHECK(kind_of([&] { crypt::LayerSecret::parse(secret.serialize()); }) == Kind::invalid_input);
  CHECK(kind_of([] { crypt::LayerSecret::parse("[]"); }) == Kind::invalid_input);
}

TEST_CASE("layer options: annotations of encryption are told from others") {
  auto wrapped = annotations(make_secret());
  wrapped["other"] = "stays";
  CHECK(crypt::without_encryption(wrapped) == spec::Annotations{{"other", "stays"}});
}

#include "image/schema1.hpp"

#include <doctest/doctest.h>
#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>

#include "samples.hpp"
#include "spec/base64.hpp"
#include "support/errors.hpp"

using namespace lade;
using namespace lade::test;
using image::Schema1;

namespace {

std::string fault(const std::string& text) {
  CHECK(kind_of([&] { Schema1::parse(text); }) == Kind::invalid_input);
  return message_of([&] { Schema1::parse(text); });
}

std::string decoded(const spec::Json& object, const char* name) {
  return spec::base64url_decode(object.at(name).get<std::string>()).value();
}

// The key of a JWK, by OpenSSL's own means.
EVP_PKEY* key_of(const spec::Json& jwk) {
  const std::string point = "\x04" + decoded(jwk, "x") + decoded(jwk, "y");
  OSSL_PARAM_BLD* builder = OSSL_PARAM_BLD_new();
  OSSL_PARAM_BLD_push_utf8_string(builder, OSSL_PKEY_PARAM_GROUP_NAME, "P-256", 0);
  OSSL_PARAM_BLD_push_octet_string(builder, OSSL_PKEY_PARAM_PUB_KEY, point.data(), point.size());
  OSSL_PARAM* params = OSSL_PARAM_BLD_to_param(builder);
  EVP_PKEY_CTX* context = EVP_PKEY_CTX_new_from_name(nullptr, "EC", nullptr);
  EVP_PKEY* key = nullptr;
  EVP_PKEY_fromdata_init(context);
  EVP_PKEY_fromdata(context, &key, EVP_PKEY_PUBLIC_KEY, params);
  EVP_PKEY_CTX_free(context);
  OSSL_PARAM_free(params);
  OSSL_PARAM_BLD_free(builder);
  return key;
}

bool verifies(const spec::Json& jwk, const std::string& text, const std::string& raw) {
  const auto* bytes = reinterpret_cast<const unsigned char*>(raw.data());
  ECDSA_SIG* signature = ECDSA_SIG_new();
  ECDSA_SIG_set0(signature, BN_bin2bn(bytes, 32, nullptr), BN_bin2bn(bytes + 32, 32, nullptr));
  unsigned char* der = nullptr;
  const int size = i2d_ECDSA_SIG(signature, &der);
  EVP_PKEY* key = key_of(jwk);
  EVP_MD_CTX* context = EVP_MD_CTX_new();
  EVP_DigestVerifyInit(context, nullptr, EVP_sha256(), nullptr, key);
  const int result = EVP_DigestVerify(context, der, static_cast<std::size_t>(size),
                                      reinterpret_cast<const unsigned char*>(text.data()), text.size());
  EVP_MD_CTX_free(context);
  EVP_PKEY_free(key);
  OPENSSL_free(der);
  ECDSA_SIG_free(signature);
  return result == 1;
}

}  // namespace

TEST_CASE("schema 1: layers are read root first, with what their history tells") {
  const auto manifest = Schema1::parse(schema1_text());
  CHECK(manifest.name == "library/old");
  CHECK(manifest.tag == "v1");
  CHECK(manifest.layers.size() == 3);
  CHECK(manifest.layers[0].blob == io::digest_of("layer one"));
  CHECK(manifest.layers[0].author == "me");
  CHECK(manifest.layers[1].empty);
  CHECK(manifest.layers[2].created_by == "/bin/sh -c third");
  CHECK(manifest.layers[2].parent == std::string(64, 'b'));
}

TEST_CASE("schema 1: written again, it is the same document") {
  CHECK(Schema1::parse(schema1_text()).serialize() == schema1_text());
}

TEST_CASE("schema 1: two entries of one layer in a row count once") {
  const std::string twice =
      replaced(replaced(schema1_text(), R"("fsLayers":[)",
                        R"("fsLayers":[{"blobSum":"sha256:)" + std::string(64, '9') + R"("},)"),
               R"("history":[)",
               R"("history":[{"v1Compatibility":"{\"id\":\")" + std::string(64, 'c') + R"(\",\"parent\":\")" +
                   std::string(64, 'c') + R"(\"}"},)");
  CHECK(Schema1::parse(twice).layers.size() == 3);
}

TEST_CASE("schema 1: what is malformed is refused") {
  const std::string good = schema1_text(), what = "invalid schema 1 manifest: ";
  CHECK(fault("[]") == what + "not an object");
  CHECK(fault(replaced(good, R"("schemaVersion":1)", R"("schemaVersion":2)")) ==
        what + "schemaVersion is not 1");
  CHECK(fault(R"({"schemaVersion":1,"fsLayers":[],"history":[]})") == what + "no fsLayers");
  CHECK(fault(R"({"schemaVersion":1,"fsLayers":[],"history":[{}]})") ==
        what + "length of history not equal to number of layers");
  CHECK(fault(R"({"schemaVersion":1,"fsLayers":[1],"history":[{}]})") ==
        what + "a layer or its history is not an object");
  CHECK(fault(replaced(good, R"("fsLayers")", R"("layers":[],"fsLayers")"))
            .starts_with("rejecting ambiguous manifest"));
  CHECK(fault(replaced(good, "sha256:", "sha1:")) == what + "unsupported digest algorithm");
  CHECK(fault(replaced(good, std::string(64, 'a'), "../etc")).starts_with(what));
}

TEST_CASE("schema 1: layers must form one chain") {
  const std::string good = schema1_text(), a(64, 'a'), b(64, 'b'), c(64, 'c');
  // The first "b" is the parent of the top layer.
  CHECK(fault(replaced(good, b, c)).find("invalid parent ID") != std::string::npos);
  CHECK(fault(replaced(good, c, a)).find("appears multiple times") != std::string::npos);
  const std::string root_has_parent = replaced(good, R"(\"author\":\"me\")", R"(\"parent\":\")" + c + "\\\"");
  CHECK(fault(root_has_parent).find("invalid parent ID") != std::string::npos);
}

TEST_CASE("schema 1: the configuration is that of the top layer, with a history from all") {
  const auto config = Schema1::parse(schema1_text()).config();
  CHECK(config.docker_version == "1.9.1");
  CHECK(config.labels->at("l") == "v");
  CHECK(config.history.size() == 3);
  CHECK(config.history[1].empty_layer);
  CHECK(config.history[2].created_by == "/bin/sh -c third");
}

TEST_CASE("schema 1: signing keeps the payload, and the signature is valid") {
  const std::string payload = Schema1::parse(schema1_text()).serialize();
  const std::string text = image::sign_schema1(payload);
  CHECK(spec::manifest_payload(text) == payload);
  CHECK(Schema1::parse(text).serialize() == payload);

  const auto signature = spec::parse_json(text, "x").at("signatures").at(0);
  const std::string signed_text =
      signature.at("protected").get<std::string>() + "." + spec::base64url_encode(payload);
  CHECK(signature.at("header").at("alg") == "ES256");
  CHECK(verifies(signature.at("header").at("jwk"), signed_text, decoded(signature, "signature")));
  CHECK_FALSE(verifies(signature.at("header").at("jwk"), signed_text + "x", decoded(signature, "signature")));
}

TEST_CASE("schema 1: what stands outside of the signed payload does not count") {
  const std::string text = image::sign_schema1(schema1_text());
  const std::string attacked = replaced(text, ",\"signatures\"", ",\"config\":{},\"signatures\"");
  CHECK(Schema1::parse(attacked).serialize() == schema1_text());
}

TEST_CASE("schema 1: only objects are signed") {
  CHECK(kind_of([] { image::sign_schema1("[]"); }) == Kind::invalid_input);
  CHECK(kind_of([] { image::sign_schema1(""); }) == Kind::invalid_input);
}

TEST_CASE("schema 1: edited copies") {
  const auto manifest = Schema1::parse(schema1_text());
  const std::vector blobs(3, image::empty_layer_digest());
  CHECK(manifest.with_blobs(blobs).layers[2].blob == image::empty_layer_digest());
  CHECK(manifest.with_blobs(blobs).layers[2].id == manifest.layers[2].id);
  CHECK_THROWS_AS(manifest.with_blobs({}), Error);
  const auto renamed = manifest.with_reference(spec::Reference::parse("quay.io/a/b:c"));
  CHECK(renamed.name == "a/b");
  CHECK(renamed.tag == "c");
}

TEST_CASE("schema 1: the empty layer has its well-known digest") {
  CHECK(image::empty_layer().size() == 32);
  CHECK(io::digest_of(image::empty_layer()) == image::empty_layer_digest());
}

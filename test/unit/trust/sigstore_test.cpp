#include <doctest/doctest.h>

#include "support/certificates.hpp"
#include "support/errors.hpp"
#include "trust/fixture.hpp"

using namespace lade;
using namespace lade::test;
using transport::SigstoreSignature;
namespace sigstore = transport::sigstore;

namespace {

std::string quoted_base64(const std::string& text) {
  return "\"" + config::base64_encode(text) + "\"";
}

trust::PolicyContext policy_with(const std::string& members) {
  return trust::PolicyContext(
      config::Policy::parse("{\"default\":[{\"type\":\"sigstoreSigned\"," + members + "}]}", "p.json"));
}

struct Signed {
  trust::PrivateKey key = trust::PrivateKey::generate();
  trust::PolicyContext policy = policy_with("\"keyData\":" + quoted_base64(key.public_key().pem()));

  std::string of(const std::string& payload) const { return serialize(sigstore_signature(key, payload)); }
};

const std::string rejection = "Source image rejected: ";
const std::string not_verified = "cryptographic signature verification failed";

// What Rekor promises about a signature made by a key or certificate.
std::string bundle(const trust::PrivateKey& rekor, const SigstoreSignature& signature,
                   const std::string& key_or_certificate, std::int64_t time) {
  const auto& bytes = signature.annotations.at(std::string(sigstore::signature_annotation));
  const spec::Json entry = {
      {"apiVersion", "0.0.1"},
      {"kind", "hashedrekord"},
      {"spec",
       {{"data", {{"hash", {{"algorithm", "sha256"}, {"value", io::digest_of(signature.payload).hex()}}}}},
        {"signature",
         {{"content", bytes}, {"publicKey", {{"content", config::base64_encode(key_or_certificate)}}}}}}}};
  const std::string body = config::base64_encode(spec::dump_json(entry)), seconds = std::to_string(time);
  const std::string canonical =
      "{\"body\":\"" + body + "\",\"integratedTime\":" + seconds + ",\"logID\":\"c0ffee\",\"logIndex\":7}";
  // In another order, with spaces: the log signs the canonical form.
  return "{ \"SignedEntryTimestamp\": " + quoted_base64(rekor.sign(canonical)) +
         ", \"Payload\": { \"logIndex\": 7, \"logID\": \"c0ffee\", \"integratedTime\": " + seconds +
         ", \"body\": \"" + body + "\" } }";
}

trust::PrivateKey key_of(const Certificate& certificate) {
  const auto& pem = certificate.key_pem;
  const auto begin = pem.find('\n') + 1;
  return trust::PrivateKey::from_der(
      config::base64_decode(pem.substr(begin, pem.find("-----END") - begin)).value());
}

std::int64_t now() {
  return std::chrono::duration_cast<std::chrono::seconds>(real_clock().now().time_since_epoch()).count();
}

struct Fulcio {
  trust::PrivateKey rekor = trust::PrivateKey::generate();
  Certificate root = make_certificate({.common_name = "root", .names = {}, .authority = true});
  CertificateOptions leaf_options{.common_name = "leaf",
                                  .names = {"me@a.test"},
                                  .usage = "codeSigning",
                                  .oidc_issuer = "https://issuer.test"};

  trust::PolicyContext policy() const {
    return policy_with("\"fulcio\":{\"caData\":" + quoted_base64(root.cert_pem) +
                       ",\"oidcIssuer\":\"https://issuer.test\",\"subjectEmail\":\"me@a.test\"},"
                       "\"rekorPublicKeyData\":" +
                       quoted_base64(rekor.public_key().pem()));
  }
  SigstoreSignature sign(const Certificate& leaf, std::int64_t time) const {
    auto signature = sigstore_signature(key_of(leaf), payload_of());
    signature.annotations.emplace(sigstore::certificate_annotation, leaf.cert_pem);
    signature.annotations.emplace(sigstore::bundle_annotation, bundle(rekor, signature, leaf.cert_pem, time));
    return signature;
  }
  std::string verdict_on(const Certificate& leaf, std::int64_t time = now()) const {
    return verdict(policy(), {serialize(sign(leaf, time))});
  }
  Certificate leaf() const { return make_certificate(leaf_options, &root); }
};

}  // namespace

TEST_CASE("sigstore: a good signature accepts the image, among others too") {
  const Signed image;
  CHECK(verdict(image.policy, {image.of(payload_of())}) == "");
  CHECK(verdict(image.policy, {"\243a simple one", image.of("rubbish"), image.of(payload_of())}) == "");
}

TEST_CASE("sigstore: a signature of another image or name is refused") {
  const Signed image;
  CHECK(verdict(image.policy, {image.of(payload_of("a.test/ns/r:1", raw_manifest("another")))})
            .starts_with(rejection + "Signature for digest sha256:"));
  CHECK(verdict(image.policy, {image.of(payload_of("a.test/ns/r:old"))}) ==
        rejection + "Signature for identity \"a.test/ns/r:old\" is not accepted");
  CHECK(verdict(image.policy, {image.of(payload_of("a.test/ns/other:1"))}) != "");
}

TEST_CASE("sigstore: another's key, a tampered payload and a truncated signature are refused") {
  const Signed image, other;
  CHECK(verdict(image.policy, {other.of(payload_of())}).starts_with(rejection + not_verified));
  auto signature = sigstore_signature(image.key, payload_of("a.test/ns/r:2"));
  signature.payload = payload_of();
  CHECK(verdict(image.policy, {serialize(signature)}).starts_with(rejection + not_verified));
  signature = sigstore_signature(image.key, payload_of());
  auto& text = signature.annotations.at(std::string(sigstore::signature_annotation));
  text.resize(text.size() - 8);
  CHECK(verdict(image.policy, {serialize(signature)}).starts_with(rejection + not_verified));
  text = "not base64!";
  CHECK(verdict(image.policy, {serialize(signature)}) == rejection + "the signature is not base64");
}

TEST_CASE("sigstore: documents that are cut anywhere are refused") {
  const Signed image;
  const auto whole = image.of(payload_of());
  for (std::size_t size = 16; size < whole.size(); size += 13)
    CHECK(verdict(image.policy, {whole.substr(0, size)}) != "");
}

TEST_CASE("sigstore: what is attached and is no signature does not count") {
  const Signed image;
  auto signature = sigstore_signature(image.key, payload_of());
  signature.media_type = "application/vnd.example.sbom";
  CHECK(verdict(image.policy, {serialize(signature), "\243simple"}) ==
        rejection +
            "A signature was required, but no signature exists (1 non-sigstore signatures, 1 sigstore "
            "non-signature attachments)");
}

TEST_CASE("sigstore: reasons are given for each signature") {
  const Signed image;
  CHECK(
      verdict(image.policy, {image.of(payload_of("x/y:1")), image.of(payload_of("x/z:1"))}) ==
      rejection +
          "None of the signatures were accepted, reasons: Signature for identity \"x/y:1\" is not accepted; "
          "Signature for identity \"x/z:1\" is not accepted");
}

TEST_CASE("sigstore: one of several keys will do, all requirements of a list must hold") {
  const Signed one, two;
  const std::string keys =
      quoted_base64(one.key.public_key().pem()) + "," + quoted_base64(two.key.public_key().pem());
  CHECK(verdict(policy_with("\"keyDatas\":[" + keys + "]"), {two.of(payload_of())}) == "");
  const trust::PolicyContext both(config::Policy::parse(
      "{\"default\":[{\"type\":\"sigstoreSigned\",\"keyData\":" + quoted_base64(one.key.public_key().pem()) +
          "},{\"type\":\"sigstoreSigned\",\"keyData\":" + quoted_base64(two.key.public_key().pem()) + "}]}",
      "p.json"));
  CHECK(verdict(both, {one.of(payload_of()), two.of(payload_of())}) == "");
  CHECK(verdict(both, {one.of(payload_of())}) != "");
}

TEST_CASE("sigstore: with a Rekor key the log must know of the signature") {
  const Signed image, other;
  const auto rekor = trust::PrivateKey::generate();
  const auto policy = policy_with("\"keyData\":" + quoted_base64(image.key.public_key().pem()) +
                                  ",\"rekorPublicKeyData\":" + quoted_base64(rekor.public_key().pem()));
  auto signature = sigstore_signature(image.key, payload_of());
  CHECK(verdict(policy, {serialize(signature)}).find("missing dev.sigstore.cosign/bundle") !=
        std::string::npos);
  const auto with_bundle = [&](const std::string& text) {
    auto copy = signature;
    copy.annotations.emplace(sigstore::bundle_annotation, text);
    return verdict(policy, {serialize(copy)});
  };
  CHECK(with_bundle(bundle(rekor, signature, image.key.public_key().pem(), 1)) == "");
  CHECK(with_bundle(bundle(other.key, signature, image.key.public_key().pem(), 1))
            .find("cryptographic signature verification of Rekor SET failed") != std::string::npos);
  CHECK(with_bundle(bundle(rekor, signature, other.key.public_key().pem(), 1))
            .find("publicKey in Rekor SET does not match") != std::string::npos);
  const auto replayed = sigstore_signature(image.key, payload_of("a.test/ns/r:2"));
  CHECK(with_bundle(bundle(rekor, replayed, image.key.public_key().pem(), 1))
            .find("in Rekor SET does not match") != std::string::npos);
  for (const auto* text : {"", "{}", "[]", "{\"SignedEntryTimestamp\":\"\",\"Payload\":{}}"})
    CHECK(with_bundle(text) != "");
}

TEST_CASE("fulcio: a certificate of the right person, valid when the log took the signature, will do") {
  const Fulcio fulcio;
  CHECK(fulcio.verdict_on(fulcio.leaf()) == "");
  CHECK(fulcio.verdict_on(fulcio.leaf(), now() + 10 * 24 * 3600).find("expired") != std::string::npos);
  CHECK(fulcio.verdict_on(fulcio.leaf(), now() - 10 * 24 * 3600).find("not yet valid") != std::string::npos);
}

TEST_CASE("fulcio: wrong persons, issuers, uses and roots are refused") {
  Fulcio fulcio;
  const auto verdict_with = [&](CertificateOptions options) {
    return fulcio.verdict_on(make_certificate(options, &fulcio.root));
  };
  auto options = fulcio.leaf_options;
  options.names = {"you@a.test"};
  CHECK(verdict_with(options).find("Required email \"me@a.test\" not found") != std::string::npos);
  options = fulcio.leaf_options;
  options.oidc_issuer = "https://other.test";
  CHECK(verdict_with(options).find("Unexpected Fulcio OIDC issuer") != std::string::npos);
  options.oidc_issuer = "";
  CHECK(verdict_with(options).find("missing the issuer extension") != std::string::npos);
  options = fulcio.leaf_options;
  options.usage = "serverAuth";
  CHECK(verdict_with(options).find("not for signing code") != std::string::npos);
  const Fulcio stranger;
  CHECK(fulcio.verdict_on(stranger.leaf()).find("verifying leaf certificate failed") != std::string::npos);
}

TEST_CASE("pki: a certificate below one's own root is accepted for its names") {
  const auto root = make_certificate({.common_name = "root", .names = {}, .authority = true});
  const auto between = make_certificate({.common_name = "between", .names = {}, .authority = true}, &root);
  const auto leaf = make_certificate(
      {.common_name = "leaf", .names = {"me@a.test", "host.test"}, .usage = "codeSigning"}, &between);
  const auto verdict_by = [&](const std::string& subject, const std::string& chain) {
    auto signature = sigstore_signature(key_of(leaf), payload_of());
    signature.annotations.emplace(sigstore::certificate_annotation, leaf.cert_pem);
    if (!chain.empty()) signature.annotations.emplace(sigstore::chain_annotation, chain);
    return verdict(
        policy_with("\"pki\":{\"caRootsData\":" + quoted_base64(root.cert_pem) + "," + subject + "}"),
        {serialize(signature)});
  };
  CHECK(verdict_by(R"("subjectEmail":"me@a.test")", between.cert_pem + root.cert_pem) == "");
  CHECK(verdict_by(R"("subjectHostname":"host.test")", between.cert_pem) == "");
  CHECK(verdict_by(R"("subjectHostname":"other.test")", between.cert_pem) != "");
  CHECK(verdict_by(R"("subjectEmail":"me@a.test")", "") != "");
}

#include "trust/signer.hpp"

#include <algorithm>

#include "base/error.hpp"
#include "config/base64.hpp"
#include "io/digester.hpp"
#include "spec/json.hpp"
#include "transport/signature_format.hpp"
#include "trust/gpg.hpp"
#include "trust/payload.hpp"
#include "trust/requirements.hpp"

namespace lade::trust {

namespace {

spec::Digest sha256_of_manifest(std::string_view manifest) {
  return io::digest_of(spec::manifest_payload(manifest));
}

std::string payload_for(const Context& context, const spec::Digest& manifest, const std::string& reference,
                        PayloadType type) {
  const auto now = context.clock.now().time_since_epoch();
  return serialize({manifest, reference, "lade " LADE_VERSION,
                    std::chrono::duration_cast<std::chrono::seconds>(now).count()},
                   type);
}

void check_signing_identity(const spec::Reference& identity) {
  if (identity.is_name_only()) {
    throw Error(Kind::invalid_input,
                "reference " + identity.str() + " can't be signed, it has neither a tag nor a digest");
  }
}

void check_passphrase(const std::optional<std::string>& passphrase) {
  if (passphrase && passphrase->find('\n') != std::string::npos)
    throw Error(Kind::invalid_input, "invalid passphrase: must not contain a line break");
}

class GpgSigner final : public Signer {
 public:
  GpgSigner(std::string key, std::optional<std::string> passphrase)
      : gpg_(Gpg::of_user()), key_(std::move(key)), passphrase_(std::move(passphrase)) {}
  std::string_view progress_message() const override { return "Signing image using simple signing"; }
  std::string sign(const Context& context, const spec::RawManifest& manifest,
                   const spec::Reference& identity) const override {
    check_signing_identity(identity);
    return gpg_.sign(
        payload_for(context, sha256_of_manifest(manifest.bytes), identity.str(), PayloadType::simple_signing),
        key_, passphrase_);
  }

 private:
  Gpg gpg_;
  std::string key_;
  std::optional<std::string> passphrase_;
};

class SigstoreSigner final : public Signer {
 public:
  explicit SigstoreSigner(PrivateKey key) : key_(std::move(key)) {}
  std::string_view progress_message() const override { return "Signing image using a sigstore signature"; }
  std::string sign(const Context& context, const spec::RawManifest& manifest,
                   const spec::Reference& identity) const override {
    check_signing_identity(identity);
    transport::SigstoreSignature signature;
    signature.media_type = transport::sigstore::payload_type;
    signature.payload =
        payload_for(context, sha256_of_manifest(manifest.bytes), identity.str(), PayloadType::sigstore);
    signature.annotations.emplace(transport::sigstore::signature_annotation,
                                  config::base64_encode(key_.sign(signature.payload)));
    return transport::serialize(signature);
  }

 private:
  PrivateKey key_;
};

// Which of the rule's fingerprints the key has, itself or by its primary key.
std::string matching_fingerprint(const Gpg& gpg, const std::string& fingerprint,
                                 const std::vector<std::string>& accepted) {
  const auto is_accepted = [&](const std::string& one) {
    return std::ranges::find(accepted, one) != accepted.end();
  };
  if (is_accepted(fingerprint)) return fingerprint;
  const std::string primary = gpg.primary_fingerprint(fingerprint);
  if (is_accepted(primary)) return primary;
  throw Error(Kind::denied, "signature by key " + fingerprint + " is not accepted");
}

}  // namespace

std::shared_ptr<const Signer> make_gpg_signer(const std::string& key, std::optional<std::string> passphrase) {
  check_passphrase(passphrase);
  return std::make_shared<GpgSigner>(key, std::move(passphrase));
}

std::shared_ptr<const Signer> make_sigstore_signer(PrivateKey key) {
  return std::make_shared<SigstoreSigner>(std::move(key));
}

std::string sign_with_gpg(const Context& context, std::string_view manifest, const std::string& reference,
                          const std::string& key, const std::optional<std::string>& passphrase) {
  check_passphrase(passphrase);
  if (reference.empty()) throw Error(Kind::invalid_input, "Unexpected empty signature content");
  return Gpg::of_user().sign(
      payload_for(context, sha256_of_manifest(manifest), reference, PayloadType::simple_signing), key,
      passphrase);
}

StandaloneVerified verify_standalone(std::string_view signature, std::string_view manifest,
                                     const StandaloneRule& rule, const std::string& scratch) {
  const auto expected = spec::Reference::parse(rule.reference);
  const auto gpg = rule.public_keys ? Gpg::with_keys({*rule.public_keys}, scratch) : Gpg::of_user();
  const auto verified = gpg.verify(transport::simple_signing_message(signature));
  const auto fingerprint = matching_fingerprint(
      gpg, verified.fingerprint, rule.fingerprints.empty() ? gpg.fingerprints() : rule.fingerprints);
  const auto payload = parse_payload(verified.content, PayloadType::simple_signing);
  const auto actual = io::digest_of(spec::manifest_payload(manifest), payload.manifest.algorithm());
  if (actual != payload.manifest) {
    throw Error(Kind::denied,
                "Signature for docker digest \"" + payload.manifest.str() + "\" does not match");
  }
  const auto name = in_context(
      [&] { return "Invalid docker reference " + spec::dump_json(payload.reference) + " in signature"; },
      [&] { return spec::Reference::parse(payload.reference); });
  if (name.str() != expected.str()) {
    throw Error(Kind::denied, "Docker reference " + spec::dump_json(payload.reference) + " does not match " +
                                  spec::dump_json(rule.reference));
  }
  return {fingerprint, payload.manifest};
}

}  // namespace lade::trust

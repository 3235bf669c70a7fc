// The requirement sigstoreSigned of containers-policy.json(5).
#include <fmt/format.h>

#include <algorithm>

#include "base/error.hpp"
#include "config/base64.hpp"
#include "transport/signature_format.hpp"
#include "trust/certificates.hpp"
#include "trust/keys.hpp"
#include "trust/rekor.hpp"
#include "trust/requirements.hpp"

namespace lade::trust {

namespace {

using transport::SigstoreSignature;
namespace sigstore = transport::sigstore;

// What the requirement trusts, read from its files.
struct TrustRoot {
  std::vector<PublicKey> keys, rekor;
  std::optional<CertificateRule> fulcio, pki;
};

std::string load_one_key(const std::string& path, const std::string& data) {
  const auto loaded = load_keys({path, data, {}, {}});
  return loaded.empty() ? "" : loaded.front();
}

std::vector<PublicKey> parse_keys(const KeySources& sources, std::string_view what) {
  std::vector<PublicKey> result;
  for (const auto& pem : load_keys(sources)) {
    const auto number = result.size() + 1;
    result.push_back(in_context([&] { return fmt::format("parsing {} {}", what, number); },
                                [&] { return PublicKey::from_pem(pem); }));
  }
  return result;
}

TrustRoot load_trust_root(const config::SigstoreSigned& rule) {
  TrustRoot root;
  root.keys = parse_keys({rule.key_path, rule.key_data, rule.key_paths, rule.key_datas}, "public key");
  root.rekor = parse_keys({rule.rekor_public_key_path, rule.rekor_public_key_data,
                           rule.rekor_public_key_paths, rule.rekor_public_key_datas},
                          "Rekor public key");
  if (!std::ranges::all_of(root.rekor, &PublicKey::is_ecdsa))
    throw Error(Kind::invalid_input, "a Rekor public key is not using ECDSA");
  if (const auto& fulcio = rule.fulcio) {
    root.fulcio = CertificateRule{load_one_key(fulcio->ca_path, fulcio->ca_data), "", fulcio->oidc_issuer,
                                  fulcio->subject_email, ""};
  }
  if (const auto& pki = rule.pki) {
    root.pki = CertificateRule{load_one_key(pki->ca_roots_path, pki->ca_roots_data),
                               load_one_key(pki->ca_intermediates_path, pki->ca_intermediates_data), "",
                               pki->subject_email, pki->subject_hostname};
  }
  return root;
}

const std::string& annotation(const SigstoreSignature& signature, std::string_view name) {
  const auto found = signature.annotations.find(std::string(name));
  if (found == signature.annotations.end())
    throw Error(Kind::denied, fmt::format("missing {} annotation", name));
  return found->second;
}

std::string chain_of(const SigstoreSignature& signature) {
  const auto found = signature.annotations.find(std::string(sigstore::chain_annotation));
  return found == signature.annotations.end() ? "" : found->second;
}

std::int64_t logged_at(const TrustRoot& root, const SigstoreSignature& signature, const std::string& key) {
  return verify_rekor_set(root.rekor, annotation(signature, sigstore::bundle_annotation),
                          {key, annotation(signature, sigstore::signature_annotation), signature.payload});
}

// The requirement's keys, those of them that the log knows to have made the signature where it is asked.
std::vector<PublicKey> candidate_keys(const TrustRoot& root, const SigstoreSignature& signature) {
  if (root.rekor.empty()) return root.keys;
  std::string failures;
  for (const auto& key : root.keys) {
    try {
      logged_at(root, signature, key.pem());
      return {key};
    } catch (const Error& error) {
      failures += (failures.empty() ? "" : ", ") + std::string(error.what());
    }
  }
  throw Error(Kind::denied, "No public key verified against the RekorSET: " + failures);
}

std::vector<PublicKey> keys_to_try(const TrustRoot& root, const SigstoreSignature& signature) {
  if (root.fulcio) {
    const std::string& certificate = annotation(signature, sigstore::certificate_annotation);
    const auto time = logged_at(root, signature, certificate);
    return {verify_certificate(*root.fulcio, certificate, chain_of(signature), time)};
  }
  if (root.pki) {
    return {verify_certificate(*root.pki, annotation(signature, sigstore::certificate_annotation),
                               chain_of(signature), std::nullopt)};
  }
  return candidate_keys(root, signature);
}

void check_sigstore_signature(const config::SigstoreSigned& rule, const TrustRoot& root,
                              const SigstoreSignature& signature, const UnparsedImage& image) {
  const auto keys = keys_to_try(root, signature);
  const auto bytes = config::base64_decode(annotation(signature, sigstore::signature_annotation));
  if (!bytes) throw Error(Kind::denied, "the signature is not base64");
  const auto verifies = [&](const PublicKey& key) { return key.verify(signature.payload, *bytes); };
  if (std::ranges::none_of(keys, verifies)) {
    throw Error(
        Kind::denied,
        "cryptographic signature verification failed: invalid signature when validating ASN.1 encoded "
        "signature");
  }
  check_payload(parse_payload(signature.payload, PayloadType::sigstore), rule.identity, image);
}

}  // namespace

void require_sigstore_signed(const config::SigstoreSigned& rule, UnparsedImage& image) {
  std::vector<std::string> reasons;
  std::optional<TrustRoot> root;
  std::size_t others = 0, no_signatures = 0;
  for (const auto& document : image.signatures()) {
    if (!transport::is_sigstore_signature(document)) {
      ++others;
      continue;
    }
    try {
      const auto signature = transport::parse_sigstore_signature(document);
      if (signature.media_type != sigstore::payload_type) {
        ++no_signatures;
        continue;
      }
      if (!root) root.emplace(load_trust_root(rule));
      check_sigstore_signature(rule, *root, signature, image);
      return;
    } catch (const Error& error) {
      reasons.emplace_back(error.what());
    }
  }
  refuse_signatures(reasons,
                    others + no_signatures == 0
                        ? ""
                        : fmt::format(" ({} non-sigstore signatures, {} sigstore non-signature attachments)",
                                      others, no_signatures));
}

}  // namespace lade::trust

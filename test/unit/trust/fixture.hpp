// Images to decide over, and sigstore signatures of them.
#pragma once

#include <string>
#include <vector>

#include "base/error.hpp"
#include "config/base64.hpp"
#include "config/policy.hpp"
#include "io/digester.hpp"
#include "spec/json.hpp"
#include "spec/media_type.hpp"
#include "transport/signature_format.hpp"
#include "trust/keys.hpp"
#include "trust/payload.hpp"
#include "trust/policy.hpp"

namespace lade::test {

class FakeReference final : public transport::ImageReference {
 public:
  explicit FakeReference(std::string name = "a.test/ns/r:1") : name_(std::move(name)) {}
  std::string_view transport() const override { return "docker"; }
  std::string rest() const override { return "//" + name_; }
  std::optional<spec::Reference> docker_reference() const override { return spec::Reference::parse(name_); }
  std::string policy_identity() const override { return name_; }
  std::vector<std::string> policy_scopes() const override {
    return {"a.test/ns/r", "a.test/ns", "a.test", "*.test"};
  }

 private:
  std::string name_;
};

inline spec::RawManifest raw_manifest(std::string bytes = "the manifest") {
  auto digest = io::digest_of(bytes);
  return {std::move(bytes), std::string(spec::media_type::oci_manifest), std::move(digest)};
}

// "" if the policy lets the image pass.
inline std::string verdict(const trust::PolicyContext& policy,
                           const std::vector<std::string>& signatures = {},
                           const std::string& name = "a.test/ns/r:1") {
  const FakeReference reference(name);
  const auto manifest = raw_manifest();
  trust::UnparsedImage image(reference, manifest, [&] { return signatures; });
  try {
    policy.check(image);
    return "";
  } catch (const Error& error) {
    if (error.kind() != Kind::denied) return std::string("not denied: ") + error.what();
    return error.what();
  }
}

// Signs any text as cosign does.
inline transport::SigstoreSignature sigstore_signature(const trust::PrivateKey& key, std::string payload) {
  transport::SigstoreSignature signature{
      std::string(transport::sigstore::payload_type), std::move(payload), {}};
  signature.annotations.emplace(transport::sigstore::signature_annotation,
                                config::base64_encode(key.sign(signature.payload)));
  return signature;
}

inline std::string payload_of(const std::string& name = "a.test/ns/r:1",
                              const spec::RawManifest& manifest = raw_manifest()) {
  return trust::serialize({manifest.digest, name}, trust::PayloadType::sigstore);
}

}  // namespace lade::test

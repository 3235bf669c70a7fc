// Makes signatures of images.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/context.hpp"
#include "spec/manifest.hpp"
#include "spec/reference.hpp"
#include "trust/keys.hpp"

namespace lade::trust {

// Thread-safe.
class Signer {
 public:
  virtual ~Signer() = default;
  virtual std::string_view progress_message() const = 0;
  // A document as of transport::SignatureDestination. Kind::invalid_input for a name without tag and digest.
  virtual std::string sign(const Context& context, const spec::RawManifest& manifest,
                           const spec::Reference& identity) const = 0;
};

// Simple signing by a key of the user's; `passphrase` nullopt: gpg's agent asks. MUST have no line feed.
std::shared_ptr<const Signer> make_gpg_signer(const std::string& key, std::optional<std::string> passphrase);
std::shared_ptr<const Signer> make_sigstore_signer(PrivateKey key);

// standalone-sign: the OpenPGP message over a manifest, for any text as name.
std::string sign_with_gpg(const Context& context, std::string_view manifest, const std::string& reference,
                          const std::string& key, const std::optional<std::string>& passphrase);

// standalone-verify. Without `public_keys` the user's ring has the keys; without `fingerprints` each key in
// `public_keys` will do. Kind::denied unless the signature is good, by one of them, and about this manifest
// under this name.
struct StandaloneRule {
  std::string reference;
  std::vector<std::string> fingerprints;
  std::optional<std::string> public_keys;
};
struct StandaloneVerified {
  std::string fingerprint;  // the one of the rule's that matched
  spec::Digest digest;
};
StandaloneVerified verify_standalone(std::string_view signature, std::string_view manifest,
                                     const StandaloneRule& rule, const std::string& scratch);

}  // namespace lade::trust

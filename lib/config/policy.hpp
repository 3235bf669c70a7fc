// policy.json as a value: containers-policy.json(5).
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "config/environment.hpp"

namespace lade::config {

// How the identity in a signature must relate to the image's name.
struct SignedIdentity {
  enum class Type {
    match_exact,
    match_repo_digest_or_exact,
    match_repository,
    exact_reference,
    exact_repository,
    remap_identity
  };
  Type type = Type::match_repo_digest_or_exact;
  std::string docker_reference;       // exact_reference
  std::string docker_repository;      // exact_repository
  std::string prefix, signed_prefix;  // remap_identity
  bool operator==(const SignedIdentity&) const = default;
};

struct InsecureAcceptAnything {
  bool operator==(const InsecureAcceptAnything&) const = default;
};

struct Reject {
  bool operator==(const Reject&) const = default;
};

// Simple signing. Exactly one of the three key fields is set.
struct SignedBy {
  std::string key_type;  // "GPGKeys"
  std::string key_path;
  std::vector<std::string> key_paths;
  std::string key_data;  // decoded
  SignedIdentity identity;
  bool operator==(const SignedBy&) const = default;
};

struct SigstoreFulcio {
  std::string ca_path, ca_data, oidc_issuer, subject_email;
  bool operator==(const SigstoreFulcio&) const = default;
};

struct SigstorePki {
  std::string ca_roots_path, ca_roots_data, ca_intermediates_path, ca_intermediates_data;
  std::string subject_email, subject_hostname;
  bool operator==(const SigstorePki&) const = default;
};

// Exactly one of the key fields, fulcio or pki is set. Data fields are decoded.
struct SigstoreSigned {
  std::string key_path, key_data;
  std::vector<std::string> key_paths, key_datas;
  std::optional<SigstoreFulcio> fulcio;
  std::optional<SigstorePki> pki;
  std::string rekor_public_key_path, rekor_public_key_data;
  std::vector<std::string> rekor_public_key_paths, rekor_public_key_datas;
  SignedIdentity identity;
  bool operator==(const SigstoreSigned&) const = default;
};

struct SignedBaseLayer {
  SignedIdentity identity;
  bool operator==(const SignedBaseLayer&) const = default;
};

using PolicyRequirement =
    std::variant<InsecureAcceptAnything, Reject, SignedBy, SigstoreSigned, SignedBaseLayer>;
// "signedBy", as in the file.
std::string_view type_of(const PolicyRequirement& requirement);
using PolicyRequirements = std::vector<PolicyRequirement>;  // all must hold; never empty

struct Policy {
  PolicyRequirements default_requirements;
  // Transport's name -> scope -> requirements; scope "" is all of the transport.
  std::map<std::string, std::map<std::string, PolicyRequirements>, std::less<>> transports;

  // Strict: unknown and duplicate members, wrong types and missing members are Kind::invalid_input
  // `invalid policy in "<file>": <place>: <reason>`.
  static Policy parse(std::string_view text, const std::string& file);

  // The most specific of `scopes` that is set for the transport ("" = all of it), else the default.
  const PolicyRequirements& find(std::string_view transport, const std::vector<std::string>& scopes) const;

  bool operator==(const Policy&) const = default;
};

struct PolicyFile {
  Policy policy;
  std::string path;
};

// `path` (--policy) or $CONTAINERS_POLICY_JSON, which MUST be there, or the first that exists of the
// documented files. nullopt if there is none at all. A file that cannot be read or parsed throws.
std::optional<PolicyFile> find_policy(const Environment& environment, const std::string& path);

}  // namespace lade::config

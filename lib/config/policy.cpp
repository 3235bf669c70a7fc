#include "config/policy.hpp"

#include <algorithm>
#include <array>

#include "base/error.hpp"
#include "config/config_files.hpp"
#include "config/strict_json.hpp"
#include "spec/reference.hpp"

namespace lade::config {

namespace {

constexpr ConfigFamily policy_family{"policy", "json", "CONTAINERS_POLICY_JSON", false};

std::string decoded(StrictObject& object, std::string_view key) {
  return object.data(key, object.text(key));
}

std::vector<std::string> decoded_list(StrictObject& object, std::string_view key) {
  auto result = object.texts(key);
  for (auto& text : result) text = object.data(key, text);
  return result;
}

// Exactly one of these members is there, or at most one.
enum class Count { exactly_one, at_most_one };

void require(const StrictObject& object, Count count, const std::vector<std::string_view>& keys) {
  std::size_t present = 0;
  std::string names;
  for (const auto key : keys) {
    present += object.has(key) ? 1 : 0;
    names += (names.empty() ? "" : ", ") + std::string(key);
  }
  if (count == Count::exactly_one && present != 1)
    object.fail("exactly one of " + names + " must be specified");
  if (present > 1) object.fail("at most one of " + names + " can be used simultaneously");
}

// A host, or a repository name with its host, as remapIdentity's prefixes are.
void check_prefix(const StrictObject& object, const std::string& prefix) {
  const bool is_host = prefix.find('/') == std::string::npos;
  const auto invalid = [&] { object.fail("prefix \"" + prefix + "\" is not valid"); };
  if (prefix.empty() || prefix.find_first_of("@*") != std::string::npos) invalid();
  const auto reference =
      object.inside([&] { return spec::Reference::parse(is_host ? prefix + "/x" : prefix); });
  if (!is_host && !reference.is_name_only()) invalid();
}

spec::Reference parse_reference(const StrictObject& object, std::string_view key, const std::string& text) {
  return object.inside([&] {
    return in_context([&] { return "Invalid format of " + std::string(key) + " \"" + text + "\""; },
                      [&] { return spec::Reference::parse(text); });
  });
}

SignedIdentity parse_identity_members(StrictObject& object, const std::string& type) {
  using Type = SignedIdentity::Type;
  SignedIdentity result;
  if (type == "matchExact") {
    result.type = Type::match_exact;
  } else if (type == "matchRepoDigestOrExact") {
    result.type = Type::match_repo_digest_or_exact;
  } else if (type == "matchRepository") {
    result.type = Type::match_repository;
  } else if (type == "exactReference") {
    result.type = Type::exact_reference;
    result.docker_reference = object.required_text("dockerReference");
    if (parse_reference(object, "dockerReference", result.docker_reference).is_name_only())
      object.fail("dockerReference \"" + result.docker_reference + "\" contains neither a tag nor digest");
  } else if (type == "exactRepository") {
    result.type = Type::exact_repository;
    result.docker_repository = object.required_text("dockerRepository");
    parse_reference(object, "dockerRepository", result.docker_repository);
  } else if (type == "remapIdentity") {
    result.type = Type::remap_identity;
    result.prefix = object.required_text("prefix");
    result.signed_prefix = object.required_text("signedPrefix");
    check_prefix(object, result.prefix);
    check_prefix(object, result.signed_prefix);
  } else {
    object.fail("Unknown policy reference match type \"" + type + "\"");
  }
  return result;
}

SignedIdentity parse_identity(StrictObject object) {
  auto result = parse_identity_members(object, object.required_text("type"));
  object.finish();
  return result;
}

SignedIdentity signed_identity(StrictObject& object) {
  return object.has("signedIdentity") ? parse_identity(object.object("signedIdentity")) : SignedIdentity{};
}

SignedBy parse_signed_by(StrictObject& object) {
  require(object, Count::exactly_one, {"keyPath", "keyPaths", "keyData"});
  SignedBy result;
  result.key_type = object.required_text("keyType");
  const bool known = result.key_type == "GPGKeys" || result.key_type == "signedByGPGKeys" ||
                     result.key_type == "X509Certificates" || result.key_type == "signedByX509CAs";
  if (!known) object.fail("Unrecognized keyType value \"" + result.key_type + "\"");
  result.key_path = object.text("keyPath");
  result.key_paths = object.texts("keyPaths");
  result.key_data = decoded(object, "keyData");
  result.identity = signed_identity(object);
  return result;
}

SigstoreFulcio parse_fulcio(StrictObject object) {
  require(object, Count::exactly_one, {"caPath", "caData"});
  SigstoreFulcio result{object.text("caPath"), decoded(object, "caData"), object.required_text("oidcIssuer"),
                        object.required_text("subjectEmail")};
  object.finish();
  return result;
}

SigstorePki parse_pki(StrictObject object) {
  require(object, Count::exactly_one, {"caRootsPath", "caRootsData"});
  require(object, Count::at_most_one, {"caIntermediatesPath", "caIntermediatesData"});
  SigstorePki result{object.text("caRootsPath"),         decoded(object, "caRootsData"),
                     object.text("caIntermediatesPath"), decoded(object, "caIntermediatesData"),
                     object.text("subjectEmail"),        object.text("subjectHostname")};
  if (result.subject_email.empty() && result.subject_hostname.empty())
    object.fail("At least one of subjectEmail, subjectHostname must be specified");
  object.finish();
  return result;
}

SigstoreSigned parse_sigstore_signed(StrictObject& object) {
  const std::vector<std::string_view> rekor{"rekorPublicKeyPath", "rekorPublicKeyPaths", "rekorPublicKeyData",
                                            "rekorPublicKeyDatas"};
  require(object, Count::exactly_one, {"keyPath", "keyPaths", "keyData", "keyDatas", "fulcio", "pki"});
  require(object, Count::at_most_one, rekor);
  const bool has_rekor = std::ranges::any_of(rekor, [&](auto key) { return object.has(key); });
  if (object.has("fulcio") && !has_rekor)
    object.fail("a Rekor public key must be specified if fulcio is used");
  if (object.has("pki") && has_rekor) object.fail("Rekor public keys are not supported for pki");
  SigstoreSigned result;
  result.key_path = object.text("keyPath");
  result.key_paths = object.texts("keyPaths");
  result.key_data = decoded(object, "keyData");
  result.key_datas = decoded_list(object, "keyDatas");
  if (object.has("fulcio")) result.fulcio = parse_fulcio(object.object("fulcio"));
  if (object.has("pki")) result.pki = parse_pki(object.object("pki"));
  result.rekor_public_key_path = object.text("rekorPublicKeyPath");
  result.rekor_public_key_paths = object.texts("rekorPublicKeyPaths");
  result.rekor_public_key_data = decoded(object, "rekorPublicKeyData");
  result.rekor_public_key_datas = decoded_list(object, "rekorPublicKeyDatas");
  result.identity = signed_identity(object);
  return result;
}

PolicyRequirement parse_requirement_members(StrictObject& object) {
  const std::string type = object.required_text("type");
  if (type == "insecureAcceptAnything") return InsecureAcceptAnything{};
  if (type == "reject") return Reject{};
  if (type == "signedBy") return parse_signed_by(object);
  if (type == "sigstoreSigned") return parse_sigstore_signed(object);
  if (type == "signedBaseLayer") return SignedBaseLayer{parse_identity(object.object("baseLayerIdentity"))};
  object.fail("Unknown policy requirement type \"" + type + "\"");
}

PolicyRequirements parse_requirements(StrictObject& parent, std::string_view key) {
  PolicyRequirements result;
  for (auto& object : parent.objects(key)) {
    result.push_back(parse_requirement_members(object));
    object.finish();
  }
  if (result.empty()) parent.fail("List of verification policy requirements must not be empty");
  return result;
}

Policy parse_document(std::string_view text) {
  Policy result;
  StrictObject document = StrictObject::parse(text);
  if (!document.has("default")) document.fail("Default policy is missing");
  result.default_requirements = parse_requirements(document, "default");
  if (document.has("transports")) {
    auto sections = document.object("transports");
    for (const auto& transport : sections.keys()) {
      auto scopes = sections.object(transport);
      auto& parsed = result.transports[transport];
      for (const auto& scope : scopes.keys()) parsed.emplace(scope, parse_requirements(scopes, scope));
    }
  }
  document.finish();
  return result;
}

}  // namespace

std::string_view type_of(const PolicyRequirement& requirement) {
  static constexpr std::array<std::string_view, 5> names{"insecureAcceptAnything", "reject", "signedBy",
                                                         "sigstoreSigned", "signedBaseLayer"};
  static_assert(names.size() == std::variant_size_v<PolicyRequirement>);
  return names.at(requirement.index());
}

Policy Policy::parse(std::string_view text, const std::string& file) {
  return in_context([&] { return "invalid policy in \"" + file + "\""; },
                    [&] { return parse_document(text); });
}

const PolicyRequirements& Policy::find(std::string_view transport,
                                       const std::vector<std::string>& scopes) const {
  const auto section = transports.find(transport);
  if (section == transports.end()) return default_requirements;
  for (const auto& scope : scopes)
    if (const auto found = section->second.find(scope); found != section->second.end()) return found->second;
  const auto whole = section->second.find("");
  return whole == section->second.end() ? default_requirements : whole->second;
}

std::optional<PolicyFile> find_policy(const Environment& environment, const std::string& path) {
  const auto files = read_config_files(config_paths(environment, policy_family, path));
  if (files.empty()) return std::nullopt;
  const auto& file = files.front();
  return PolicyFile{Policy::parse(file.text, file.path), file.path};
}

}  // namespace lade::config

#include "trust/policy.hpp"

#include <algorithm>
#include <variant>

#include "base/error.hpp"
#include "spec/json.hpp"
#include "trust/requirements.hpp"

namespace lade::trust {

namespace {

config::Policy accept_anything() {
  return {{config::InsecureAcceptAnything{}}, {}};
}

struct LoadedPolicy {
  config::Policy policy;
  std::string file;
};

LoadedPolicy load_policy(const Context& context, const config::Environment& environment,
                         const PolicyOptions& options) {
  if (options.insecure_policy) return {accept_anything(), ""};
  auto found = in_context("Error loading trust policy",
                          [&] { return config::find_policy(environment, options.path); });
  if (found) {
    context.log.debug("Using trust policy " + found->path);
    return {std::move(found->policy), found->path};
  }
  context.log.debug("No policy.json found: using the built-in default policy insecureAcceptAnything");
  return {accept_anything(), ""};
}

std::vector<std::string> scopes_of(const transport::ImageReference& reference) {
  std::vector<std::string> scopes{reference.policy_identity()};
  std::ranges::move(reference.policy_scopes(), std::back_inserter(scopes));
  return scopes;
}

// Of requirements: does one look at all signatures of an image?
bool verifies_signatures(const config::PolicyRequirement& requirement) {
  return std::holds_alternative<config::SignedBy>(requirement) ||
         std::holds_alternative<config::SigstoreSigned>(requirement);
}

[[noreturn]] void reject(const transport::ImageReference& image) {
  throw Error(Kind::denied, "Running image " + image.str() + " is rejected by policy.");
}

// One requirement applied to one image. Throws unless it is satisfied.
struct Evaluation {
  UnparsedImage& image;
  const std::filesystem::path& scratch;

  void operator()(const config::InsecureAcceptAnything&) const {}
  void operator()(const config::Reject&) const { reject(image.reference()); }
  void operator()(const config::SignedBy& rule) const { require_signed_by(rule, image, scratch); }
  void operator()(const config::SigstoreSigned& rule) const { require_sigstore_signed(rule, image); }
  void operator()(const config::SignedBaseLayer&) const {
    throw Error(Kind::denied, "signedBaseLayer not implemented yet!");
  }
};

}  // namespace

PolicyContext PolicyContext::load(const Context& context, const config::Environment& environment,
                                  const PolicyOptions& options) {
  if (options.insecure_policy && options.require_signed)
    throw Error(Kind::invalid_input, "--insecure-policy and --require-signed are mutually exclusive");
  auto loaded = load_policy(context, environment, options);
  PolicyContext result(std::move(loaded.policy), options.require_signed);
  result.file_ = std::move(loaded.file);
  if (const auto directory = environment.get("TMPDIR"); !directory.empty()) result.scratch_ = directory;
  return result;
}

const config::PolicyRequirements& PolicyContext::requirements(const transport::ImageReference& image) const {
  return policy_.find(image.transport(), scopes_of(image));
}

bool PolicyContext::accepts_anything(const transport::ImageReference& image) const {
  const auto& all = requirements(image);
  return !require_signed_ && std::all_of(all.begin(), all.end(), [](const config::PolicyRequirement& one) {
    return std::holds_alternative<config::InsecureAcceptAnything>(one);
  });
}

void PolicyContext::check_name(const transport::ImageReference& reference) const {
  in_context("Source image rejected", [&] {
    const auto& all = requirements(reference);
    const bool rejected =
        std::ranges::any_of(all, [](const auto& one) { return std::holds_alternative<config::Reject>(one); });
    if (rejected || all.empty()) reject(reference);
    if (require_signed_ && std::ranges::none_of(all, verifies_signatures))
      throw Error(Kind::denied, "No signature verification policy found for image " +
                                    std::string(reference.transport()) + ":" + reference.policy_identity());
  });
}

void PolicyContext::check(UnparsedImage& image) const {
  check_name(image.reference());
  in_context("Source image rejected", [&] {
    for (const auto& requirement : requirements(image.reference()))
      std::visit(Evaluation{image, scratch_}, requirement);
  });
}

PolicyDecision PolicyContext::decision(const transport::ImageReference& reference) const {
  auto scopes = scopes_of(reference);
  scopes.emplace_back("");
  PolicyDecision result{file_, "default", &policy_.find(reference.transport(), scopes)};
  const auto section = policy_.transports.find(reference.transport());
  if (section == policy_.transports.end()) return result;
  const auto scope =
      std::ranges::find_if(scopes, [&](const auto& one) { return section->second.contains(one); });
  if (scope != scopes.end())
    result.key = "transports." + std::string(reference.transport()) + "." + spec::dump_json(*scope);
  return result;
}

}  // namespace lade::trust

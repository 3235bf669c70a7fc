#include "trust/policy.hpp"

#include <algorithm>
#include <variant>

#include "base/error.hpp"

namespace lade::trust {

namespace {

config::Policy accept_anything() {
  return {{config::InsecureAcceptAnything{}}, {}};
}

config::Policy load_policy(const Context& context, const config::Environment& environment,
                           const PolicyOptions& options) {
  if (options.insecure_policy) return accept_anything();
  auto found = in_context("Error loading trust policy",
                          [&] { return config::find_policy(environment, options.path); });
  if (found) {
    context.log.debug("Using trust policy " + found->path);
    return std::move(found->policy);
  }
  context.log.debug("No policy.json found: using the built-in default policy insecureAcceptAnything");
  return accept_anything();
}

// One requirement applied to one image; true if it verified a signature.
struct Evaluation {
  const transport::ImageReference& image;

  bool operator()(const config::InsecureAcceptAnything&) const { return false; }
  bool operator()(const config::Reject&) const {
    throw Error(Kind::denied, "Running image " + image.str() + " is rejected by policy.");
  }
  bool operator()(const config::SignedBy&) const { not_available("signedBy"); }
  bool operator()(const config::SigstoreSigned&) const { not_available("sigstoreSigned"); }
  bool operator()(const config::SignedBaseLayer&) const { not_available("signedBaseLayer"); }

 private:
  [[noreturn]] static void not_available(std::string_view type) {
    throw Error(Kind::denied, "signature verification (" + std::string(type) +
                                  ") is not available in this build of lade yet");
  }
};

}  // namespace

PolicyContext PolicyContext::load(const Context& context, const config::Environment& environment,
                                  const PolicyOptions& options) {
  if (options.insecure_policy && options.require_signed)
    throw Error(Kind::invalid_input, "--insecure-policy and --require-signed are mutually exclusive");
  return PolicyContext(load_policy(context, environment, options), options.require_signed);
}

const config::PolicyRequirements& PolicyContext::requirements(const transport::ImageReference& image) const {
  std::vector<std::string> scopes{image.policy_identity()};
  for (auto& scope : image.policy_scopes()) scopes.push_back(std::move(scope));
  return policy_.find(image.transport(), scopes);
}

bool PolicyContext::accepts_anything(const transport::ImageReference& image) const {
  const auto& all = requirements(image);
  return !require_signed_ && std::all_of(all.begin(), all.end(), [](const config::PolicyRequirement& one) {
    return std::holds_alternative<config::InsecureAcceptAnything>(one);
  });
}

void PolicyContext::check(const transport::ImageReference& image) const {
  in_context("Source image rejected", [&] {
    bool verified = false;
    for (const auto& requirement : requirements(image))
      verified |= std::visit(Evaluation{image}, requirement);
    if (require_signed_ && !verified)
      throw Error(Kind::denied, "No signature verification policy found for image " +
                                    std::string(image.transport()) + ":" + image.policy_identity());
  });
}

}  // namespace lade::trust

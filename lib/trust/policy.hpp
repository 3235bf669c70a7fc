// May this image be used? The policy of policy.json, applied.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "base/context.hpp"
#include "config/policy.hpp"
#include "transport/transport.hpp"

namespace lade::trust {

struct PolicyOptions {
  std::string path{};            // --policy; "": the documented files
  bool insecure_policy = false;  // --insecure-policy: accept anything, read no file
  bool require_signed = false;   // --require-signed: insecureAcceptAnything as a default does not do
};

// Immutable.
class PolicyContext {
 public:
  explicit PolicyContext(config::Policy policy, bool require_signed = false)
      : policy_(std::move(policy)), require_signed_(require_signed) {}

  // With no file anywhere the built-in policy accepts anything, and says so as a debug line. A file that
  // cannot be read or parsed throws: it never means "accept". Kind::invalid_input "--insecure-policy and
  // --require-signed are mutually exclusive".
  static PolicyContext load(const Context& context, const config::Environment& environment,
                            const PolicyOptions& options);

  // Returns if the image may be used; else Kind::denied "Source image rejected: ...".
  void check(const transport::ImageReference& image) const;
  // Whether check() would let the image pass whatever it is, and signed by whomever.
  bool accepts_anything(const transport::ImageReference& image) const;

 private:
  const config::PolicyRequirements& requirements(const transport::ImageReference& image) const;

  config::Policy policy_;
  bool require_signed_;
};

}  // namespace lade::trust

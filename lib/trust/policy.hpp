// May this image be used? The policy of policy.json, applied.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "base/context.hpp"
#include "config/policy.hpp"
#include "transport/transport.hpp"
#include "trust/unparsed_image.hpp"

namespace lade::trust {

struct PolicyOptions {
  std::string path{};            // --policy; "": the documented files
  bool insecure_policy = false;  // --insecure-policy: accept anything, read no file
  bool require_signed = false;   // --require-signed: insecureAcceptAnything as a default does not do
};

// What decides over an image, for `lade config show`.
struct PolicyDecision {
  std::string file;  // "" for the built-in policy and --insecure-policy
  std::string key;   // "default", `transports.docker."quay.io/ns"`
  const config::PolicyRequirements* requirements = nullptr;  // of the policy
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
  void check(UnparsedImage& image) const;
  // The same as far as no signature has to be looked at: before anything of the image is.
  void check_name(const transport::ImageReference& reference) const;
  // Whether check() would let the image pass whatever it is, and signed by whomever.
  bool accepts_anything(const transport::ImageReference& image) const;

  PolicyDecision decision(const transport::ImageReference& reference) const;
  bool require_signed() const { return require_signed_; }

 private:
  const config::PolicyRequirements& requirements(const transport::ImageReference& image) const;

  config::Policy policy_;
  bool require_signed_;
  std::string file_{};
  std::filesystem::path scratch_ = "/tmp";  // for key rings
};

}  // namespace lade::trust

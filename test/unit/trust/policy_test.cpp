#include "trust/policy.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "support/errors.hpp"
#include "support/temp_dir.hpp"

using namespace lade;

namespace {

class FakeReference final : public transport::ImageReference {
 public:
  std::string_view transport() const override { return "docker"; }
  std::string rest() const override { return "//a.test/ns/r:1"; }
  std::string policy_identity() const override { return "a.test/ns/r:1"; }
  std::vector<std::string> policy_scopes() const override {
    return {"a.test/ns/r", "a.test/ns", "a.test", "*.test"};
  }
};

class LineLogger final : public Logger {
 public:
  bool enabled(Level) const noexcept override { return true; }
  void log(Level, std::string_view message) noexcept override { text += std::string(message) + "\n"; }
  std::string text;
};

trust::PolicyContext make_policy(const std::string& text, bool require_signed = false) {
  return trust::PolicyContext(config::Policy::parse(text, "p.json"), require_signed);
}

// "" if the policy lets the image pass.
std::string verdict(const trust::PolicyContext& policy) {
  try {
    policy.check(FakeReference());
    return "";
  } catch (const Error& error) {
    CHECK(error.kind() == Kind::denied);
    return error.what();
  }
}

const std::string reject = R"([{"type": "reject"}])", accept = R"([{"type": "insecureAcceptAnything"}])",
                  signed_by = R"([{"type": "signedBy", "keyType": "GPGKeys", "keyPath": "/k"}])",
                  sigstore = R"([{"type": "sigstoreSigned", "keyPath": "/k"}])";

std::string policy_of(const std::string& standard, const std::string& scope = "",
                      const std::string& scoped = "") {
  if (scope.empty()) return "{\"default\": " + standard + "}";
  return "{\"default\": " + standard + ", \"transports\": {\"docker\": {\"" + scope + "\": " + scoped + "}}}";
}

constexpr std::string_view rejected =
    "Source image rejected: Running image docker://a.test/ns/r:1 is rejected by policy.";

}  // namespace

TEST_CASE("trust: insecureAcceptAnything accepts and reject rejects") {
  CHECK(verdict(make_policy(policy_of(accept))) == "");
  CHECK(verdict(make_policy(policy_of(reject))) == rejected);
}

TEST_CASE("trust: the image's own name is the first scope, then its wider ones") {
  for (const auto* scope : {"a.test/ns/r:1", "a.test/ns/r", "a.test/ns", "a.test", "*.test"}) {
    CAPTURE(scope);
    CHECK(verdict(make_policy(policy_of(reject, scope, accept))) == "");
    CHECK(verdict(make_policy(policy_of(accept, scope, reject))) == rejected);
  }
  CHECK(verdict(make_policy(policy_of(accept, "b.test", reject))) == "");
}

TEST_CASE("trust: all requirements of a list must hold") {
  CHECK(verdict(make_policy(policy_of(R"([{"type": "insecureAcceptAnything"}, {"type": "reject"}])"))) ==
        rejected);
}

TEST_CASE("trust: signatures that cannot be verified yet fail closed") {
  CHECK(
      verdict(make_policy(policy_of(signed_by))) ==
      "Source image rejected: signature verification (signedBy) is not available in this build of lade yet");
  CHECK(
      verdict(make_policy(policy_of(sigstore))) ==
      "Source image rejected: signature verification (sigstoreSigned) is not available in this build of lade "
      "yet");
}

TEST_CASE("trust: with --require-signed accepting anything does not do") {
  CHECK(verdict(make_policy(policy_of(accept), true)) ==
        "Source image rejected: No signature verification policy found for image docker:a.test/ns/r:1");
}

TEST_CASE("trust: with no file the built-in policy accepts and says so in the log") {
  const test::Directory directory;
  LineLogger log;
  const Context base = background();
  const Context context{base.stop, log, base.progress, base.clock};
  const config::Environment environment{{}, directory / "home", 1, directory / "root"};
  CHECK(verdict(trust::PolicyContext::load(context, environment, {})) == "");
  CHECK(log.text == "No policy.json found: using the built-in default policy insecureAcceptAnything\n");
  CHECK(verdict(trust::PolicyContext::load(context, environment, {.require_signed = true})) != "");
}

TEST_CASE("trust: a file that is broken or was named and is not there never means accept") {
  const test::Directory directory;
  const config::Environment environment{{}, directory / "home", 1, directory / "root"};
  directory.write("root/etc/containers/policy.json", "{");
  const auto load = [&](const trust::PolicyOptions& options) {
    trust::PolicyContext::load(background(), environment, options);
  };
  CHECK(test::message_of([&] { load({}); }).starts_with("Error loading trust policy: invalid policy in \""));
  CHECK(test::kind_of([&] { load({.path = (directory / "missing").string()}); }) == Kind::not_found);
}

TEST_CASE("trust: --insecure-policy reads no file") {
  const test::Directory directory;
  directory.write("p.json", policy_of(reject));
  const trust::PolicyOptions options{.path = (directory / "p.json").string(), .insecure_policy = true};
  CHECK(verdict(trust::PolicyContext::load(background(), {}, options)) == "");
}

TEST_CASE("trust: --insecure-policy and --require-signed exclude each other") {
  CHECK(test::message_of([] {
          trust::PolicyContext::load(background(), {}, {.insecure_policy = true, .require_signed = true});
        }) == "--insecure-policy and --require-signed are mutually exclusive");
}

#include "trust/policy.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "support/errors.hpp"
#include "support/temp_dir.hpp"
#include "trust/fixture.hpp"

using namespace lade;
using namespace lade::test;

namespace {

class LineLogger final : public Logger {
 public:
  bool enabled(Level) const noexcept override { return true; }
  void log(Level, std::string_view message) noexcept override { text += std::string(message) + "\n"; }
  std::string text;
};

trust::PolicyContext make_policy(const std::string& text, bool require_signed = false) {
  return trust::PolicyContext(config::Policy::parse(text, "p.json"), require_signed);
}

const std::string reject = R"([{"type": "reject"}])", accept = R"([{"type": "insecureAcceptAnything"}])",
                  signed_by = R"([{"type": "signedBy", "keyType": "GPGKeys", "keyPath": "/no/such/key"}])",
                  by_sigstore = R"([{"type": "sigstoreSigned", "keyPath": "/no/such/key"}])";

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

TEST_CASE("trust: what wants a signature rejects an image without") {
  for (const auto& requirement : {signed_by, by_sigstore})
    CHECK(verdict(make_policy(policy_of(requirement))) ==
          "Source image rejected: A signature was required, but no signature exists");
  CHECK(verdict(make_policy(policy_of(signed_by)), {std::string("\0sigstore-json\n{}", 17)}) ==
        "Source image rejected: A signature was required, but no signature exists");
}

TEST_CASE("trust: a key that is not there accepts nothing") {
  const std::string message("\243not really OpenPGP");
  CHECK(verdict(make_policy(policy_of(signed_by)), {message}) != "");
  CHECK(verdict(make_policy(policy_of(by_sigstore)),
                {transport::serialize(transport::SigstoreSignature{
                    std::string(transport::sigstore::payload_type), payload_of(), {}})}) ==
        "Source image rejected: open /no/such/key: no such file or directory");
}

TEST_CASE("trust: kinds of keys that nobody implements accept nothing") {
  const auto policy = make_policy(
      policy_of(R"([{"type": "signedBy", "keyType": "X509Certificates", "keyPath": "/no/such/key"}])"));
  CHECK(verdict(policy, {"\243x"}) ==
        "Source image rejected: Unimplemented \"keyType\" value \"X509Certificates\"");
  CHECK(verdict(make_policy(policy_of(
            R"([{"type": "signedBaseLayer", "baseLayerIdentity": {"type": "matchExact"}}])"))) != "");
}

TEST_CASE("trust: with --require-signed accepting anything does not do") {
  CHECK(verdict(make_policy(policy_of(accept), true)) ==
        "Source image rejected: No signature verification policy found for image docker:a.test/ns/r:1");
}

TEST_CASE("trust: with no file the built-in policy accepts and says so in the log") {
  const Directory directory;
  LineLogger log;
  const Context base = background();
  const Context context{base.stop, log, base.progress, base.clock};
  const config::Environment environment{{}, directory / "home", 1, directory / "root"};
  CHECK(verdict(trust::PolicyContext::load(context, environment, {})) == "");
  CHECK(log.text == "No policy.json found: using the built-in default policy insecureAcceptAnything\n");
  CHECK(verdict(trust::PolicyContext::load(context, environment, {.require_signed = true})) != "");
}

TEST_CASE("trust: a file that is broken or was named and is not there never means accept") {
  const Directory directory;
  const config::Environment environment{{}, directory / "home", 1, directory / "root"};
  directory.write("root/etc/containers/policy.json", "{");
  const auto load = [&](const trust::PolicyOptions& options) {
    trust::PolicyContext::load(background(), environment, options);
  };
  CHECK(message_of([&] { load({}); }).starts_with("Error loading trust policy: invalid policy in \""));
  CHECK(kind_of([&] { load({.path = (directory / "missing").string()}); }) == Kind::not_found);
}

TEST_CASE("trust: --insecure-policy reads no file") {
  const Directory directory;
  directory.write("p.json", policy_of(reject));
  const trust::PolicyOptions options{.path = (directory / "p.json").string(), .insecure_policy = true};
  CHECK(verdict(trust::PolicyContext::load(background(), {}, options)) == "");
}

TEST_CASE("trust: --insecure-policy and --require-signed exclude each other") {
  CHECK(message_of([] {
          trust::PolicyContext::load(background(), {}, {.insecure_policy = true, .require_signed = true});
        }) == "--insecure-policy and --require-signed are mutually exclusive");
}

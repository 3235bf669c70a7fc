#include "trust/signed_identity.hpp"

#include <doctest/doctest.h>

#include <array>

using namespace lade;
using config::SignedIdentity;
using Type = SignedIdentity::Type;

namespace {

const std::string one_digest = "sha256:" + std::string(64, 'a'),
                  other_digest = "sha256:" + std::string(64, 'b');

bool accepts(const SignedIdentity& rule, const std::string& image, const std::string& signed_as) {
  return trust::is_accepted_identity(rule, spec::Reference::parse(image), signed_as);
}

SignedIdentity rule_of(Type type) {
  SignedIdentity rule;
  rule.type = type;
  return rule;
}

SignedIdentity remap(const std::string& prefix, const std::string& signed_prefix) {
  auto rule = rule_of(Type::remap_identity);
  rule.prefix = prefix;
  rule.signed_prefix = signed_prefix;
  return rule;
}

}  // namespace

TEST_CASE("identity: matchExact wants the very name") {
  const auto rule = rule_of(Type::match_exact);
  CHECK(accepts(rule, "a.test/r:1", "a.test/r:1"));
  CHECK(accepts(rule, "a.test/r@" + one_digest, "a.test/r@" + one_digest));
  CHECK_FALSE(accepts(rule, "a.test/r:1", "a.test/r:2"));
  CHECK_FALSE(accepts(rule, "a.test/r:1", "a.test/r"));
  CHECK_FALSE(accepts(rule, "a.test/r", "a.test/r"));
  CHECK_FALSE(accepts(rule, "a.test/r@" + one_digest, "a.test/r:1"));
  CHECK_FALSE(accepts(rule, "a.test/r:1", "b.test/r:1"));
}

TEST_CASE("identity: matchRepoDigestOrExact takes any signature of the repository for a digest") {
  const auto rule = rule_of(Type::match_repo_digest_or_exact);
  CHECK(accepts(rule, "a.test/r:1", "a.test/r:1"));
  CHECK(accepts(rule, "a.test/r@" + one_digest, "a.test/r:1"));
  CHECK(accepts(rule, "a.test/r@" + one_digest, "a.test/r@" + other_digest));
  CHECK_FALSE(accepts(rule, "a.test/r@" + one_digest, "a.test/other:1"));
  CHECK_FALSE(accepts(rule, "a.test/r@" + one_digest, "a.test/r"));
  CHECK_FALSE(accepts(rule, "a.test/r:1", "a.test/r:2"));
  CHECK_FALSE(accepts(rule, "a.test/r:1", "a.test/r@" + one_digest));
}

TEST_CASE("identity: of a name with tag and digest the tag must be the signed one") {
  const auto rule = rule_of(Type::match_repo_digest_or_exact);
  CHECK(accepts(rule, "a.test/r:1@" + one_digest, "a.test/r:1"));
  CHECK_FALSE(accepts(rule, "a.test/r:1@" + one_digest, "a.test/r:2"));
  CHECK_FALSE(accepts(rule, "a.test/r:1@" + one_digest, "a.test/r@" + one_digest));
}

TEST_CASE("identity: matchRepository looks at nothing else") {
  const auto rule = rule_of(Type::match_repository);
  CHECK(accepts(rule, "a.test/r:1", "a.test/r:2"));
  CHECK(accepts(rule, "a.test/r:1", "a.test/r"));
  CHECK(accepts(rule, "busybox:1", "docker.io/library/busybox:2"));
  CHECK_FALSE(accepts(rule, "a.test/r:1", "a.test/r/sub:1"));
}

TEST_CASE("identity: exactReference and exactRepository do not care for the image's name") {
  auto reference = rule_of(Type::exact_reference);
  reference.docker_reference = "a.test/r:1";
  CHECK(accepts(reference, "b.test/x:9", "a.test/r:1"));
  CHECK_FALSE(accepts(reference, "a.test/r:1", "a.test/r:2"));
  CHECK(trust::is_accepted_identity(reference, std::nullopt, "a.test/r:1"));
  auto repository = rule_of(Type::exact_repository);
  repository.docker_repository = "a.test/r";
  CHECK(accepts(repository, "b.test/x:9", "a.test/r:7"));
  CHECK_FALSE(accepts(repository, "a.test/r:7", "a.test/r/s:7"));
}

TEST_CASE("identity: remapIdentity replaces a prefix of whole parts") {
  CHECK(accepts(remap("mirror.test/vendor", "vendor.test"), "mirror.test/vendor/r:1", "vendor.test/r:1"));
  CHECK(accepts(remap("mirror.test:5000", "vendor.test/ns"), "mirror.test:5000/r:1", "vendor.test/ns/r:1"));
  CHECK(accepts(remap("mirror.test/r", "vendor.test/q"), "mirror.test/r:1", "vendor.test/q:1"));
  CHECK(accepts(remap("mirror.test/r", "vendor.test/q"), "mirror.test/r@" + one_digest, "vendor.test/q:1"));
  CHECK_FALSE(
      accepts(remap("mirror.test/ven", "vendor.test"), "mirror.test/vendor/r:1", "vendor.test/dor/r:1"));
  CHECK_FALSE(
      accepts(remap("mirror.test/vendor", "vendor.test"), "mirror.test/vendor/r:1", "vendor.test/r:2"));
  CHECK(accepts(remap("mirror.test", "vendor.test"), "other.test/r:1", "other.test/r:1"));
  CHECK_FALSE(accepts(remap("mirror.test", "vendor.test"), "other.test/r:1", "vendor.test/r:1"));
}

TEST_CASE("identity: an image without a name, and a signature with a malformed one, match nothing") {
  for (const auto type : {Type::match_exact, Type::match_repo_digest_or_exact, Type::match_repository}) {
    CHECK_FALSE(trust::is_accepted_identity(rule_of(type), std::nullopt, "a.test/r:1"));
    for (const auto* text : {"", "UPPER/case:1", "a.test/r:1:2", "a.test/r@sha256:1"})
      CHECK_FALSE(accepts(rule_of(type), "a.test/r:1", text));
  }
}

#include "config/policy.hpp"

#include <doctest/doctest.h>

#include "fixture.hpp"
#include "support/errors.hpp"

using namespace lade;
using namespace lade::config;

namespace {

Policy parse(std::string_view text) {
  return Policy::parse(text, "p.json");
}

std::string error_in(const std::string& text) {
  return test::message_of([&] { parse(text); });
}

std::string requirement(const std::string& text) {
  return "{\"default\": [" + text + "]}";
}

template <class T>
T parse_one(const std::string& text) {
  return std::get<T>(parse(requirement(text)).default_requirements.at(0));
}

const std::string accept = R"({"default": [{"type": "insecureAcceptAnything"}]})";

}  // namespace

TEST_CASE("policy.json: scopes are looked up in the order given, then the whole transport, then default") {
  const auto policy = parse(R"({"default": [{"type": "reject"}], "transports": {
    "docker": {"a.test/ns": [{"type": "insecureAcceptAnything"}, {"type": "reject"}],
               "": [{"type": "insecureAcceptAnything"}]},
    "dir": {}}})");
  CHECK(policy.find("docker", {"a.test/ns/r:1", "a.test/ns/r", "a.test/ns"}).size() == 2);
  CHECK(policy.find("docker", {"b.test/r"}) == PolicyRequirements{InsecureAcceptAnything{}});
  CHECK(policy.find("dir", {"/x"}) == PolicyRequirements{Reject{}});
  CHECK(policy.find("oci", {""}) == PolicyRequirements{Reject{}});
}

TEST_CASE("policy.json: signedBy is read with its identity") {
  const auto signed_by = parse_one<SignedBy>(R"({"type": "signedBy", "keyType": "GPGKeys", "keyData": "a2V5",
    "signedIdentity": {"type": "remapIdentity", "prefix": "a.test/x", "signedPrefix": "b.test"}})");
  CHECK(signed_by.key_data == "key");
  CHECK(signed_by.identity.type == SignedIdentity::Type::remap_identity);
  CHECK(signed_by.identity.prefix == "a.test/x");
  CHECK(parse_one<SignedBy>(R"({"type": "signedBy", "keyType": "GPGKeys", "keyPaths": ["/k", "/l"]})") ==
        SignedBy{"GPGKeys", "", {"/k", "/l"}, "", {}});
}

TEST_CASE("policy.json: sigstoreSigned is read with keys, fulcio or pki") {
  const auto key = parse_one<SigstoreSigned>(R"({"type": "sigstoreSigned", "keyDatas": ["YQ==", "Yg=="],
    "rekorPublicKeyPath": "/r", "signedIdentity": {"type": "exactRepository", "dockerRepository": "a.test/r"}})");
  CHECK(key.key_datas == std::vector<std::string>{"a", "b"});
  CHECK(key.identity.docker_repository == "a.test/r");
  const auto fulcio = parse_one<SigstoreSigned>(R"({"type": "sigstoreSigned", "rekorPublicKeyData": "YQ==",
    "fulcio": {"caPath": "/ca", "oidcIssuer": "https://i", "subjectEmail": "a@b"}})");
  CHECK(fulcio.fulcio == SigstoreFulcio{"/ca", "", "https://i", "a@b"});
  const auto pki = parse_one<SigstoreSigned>(
      R"({"type": "sigstoreSigned", "pki": {"caRootsPath": "/ca", "subjectHostname": "h"}})");
  CHECK(pki.pki->subject_hostname == "h");
}

TEST_CASE("policy.json: all kinds of identity are read") {
  using Type = SignedIdentity::Type;
  for (const auto& [text, type] :
       {std::pair{R"({"type": "matchExact"})", Type::match_exact},
        {R"({"type": "matchRepoDigestOrExact"})", Type::match_repo_digest_or_exact},
        {R"({"type": "matchRepository"})", Type::match_repository},
        {R"({"type": "exactReference", "dockerReference": "a.test/r:1"})", Type::exact_reference}}) {
    const auto base = parse_one<SignedBaseLayer>(R"({"type": "signedBaseLayer", "baseLayerIdentity": )" +
                                                 std::string(text) + "}");
    CHECK(base.identity.type == type);
  }
}

TEST_CASE("policy.json: whatever is unknown, missing, doubled or of a wrong type is refused") {
  for (const auto& [text, message] : {
           std::pair{std::string("{}"), "document: Default policy is missing"},
           {"[]", "document: is not an object"},
           {R"({"default": []})", "document: List of verification policy requirements must not be empty"},
           {R"({"default": {}})", "document: default is not a list"},
           {R"({"default": [{"type": "reject"}], "x": 1})", "document: unknown member \"x\""},
           {R"({"default": [{"type": "reject"}], "default": []})", "JSON: member \"default\" occurs twice"},
           {R"({"default": [{"type": "reject", "keyPath": "x"}]})", "default[0]: unknown member \"keyPath\""},
           {R"({"default": [{"type": "other"}]})", "default[0]: Unknown policy requirement type \"other\""},
           {R"({"default": [{}]})", "default[0]: type not specified"},
           {R"({"default": [{"type": "reject"}], "transports": {"docker": {"x": [{"type": 5}]}}})",
            "transports.docker.x[0]: type is not a string"},
           {R"({"default": [{"type": "reject"}], "transports": {"docker": []}})",
            "transports.docker: is not an object"},
           {requirement(R"({"type": "signedBy", "keyType": "GPGKeys"})"),
            "default[0]: exactly one of keyPath, keyPaths, keyData must be specified"},
           {requirement(R"({"type": "signedBy", "keyType": "GPGKeys", "keyPath": "x", "keyData": "YQ=="})"),
            "default[0]: exactly one of keyPath, keyPaths, keyData must be specified"},
           {requirement(R"({"type": "signedBy", "keyType": "other", "keyPath": "x"})"),
            "default[0]: Unrecognized keyType value \"other\""},
           {requirement(R"({"type": "signedBy", "keyType": "GPGKeys", "keyData": "!"})"),
            "default[0]: keyData is not valid base64"},
           {requirement(R"({"type": "signedBy", "keyType": "GPGKeys", "keyPaths": []})"),
            "default[0]: keyPaths contains no entries"},
           {requirement(R"({"type": "signedBy", "keyType": "GPGKeys", "keyPath": "x",
                            "signedIdentity": {"type": "exactReference", "dockerReference": "a.test/r"}})"),
            "default[0].signedIdentity: dockerReference \"a.test/r\" contains neither a tag nor digest"},
           {requirement(R"({"type": "sigstoreSigned", "fulcio": {"caPath": "c", "oidcIssuer": "i",
                            "subjectEmail": "e"}})"),
            "default[0]: a Rekor public key must be specified if fulcio is used"},
       }) {
    CHECK(error_in(text) == "invalid policy in \"p.json\": " + std::string(message));
  }
}

TEST_CASE("policy.json: without any file there is no policy") {
  CHECK_FALSE(find_policy(test::Machine().environment, ""));
}

TEST_CASE("policy.json: the user's file wins, the one of the option wins over all") {
  const test::Machine machine;
  machine.write("root/etc/containers/policy.json", accept);
  CHECK(find_policy(machine.environment, "")->path == machine.path("root/etc/containers/policy.json"));
  machine.write("home/.config/containers/policy.json", accept);
  CHECK(find_policy(machine.environment, "")->path == machine.path("home/.config/containers/policy.json"));
  machine.write("own.json", accept);
  CHECK(find_policy(machine.environment, machine.path("own.json"))->path == machine.path("own.json"));
}

TEST_CASE("policy.json: a file that was named must be there, one that is broken is an error") {
  const test::Machine machine;
  CHECK(test::kind_of([&] { find_policy(machine.environment, machine.path("missing")); }) == Kind::not_found);
  machine.write("root/etc/containers/policy.json", "");
  CHECK(test::kind_of([&] { find_policy(machine.environment, ""); }) == Kind::invalid_input);
}

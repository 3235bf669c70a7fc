#include "config/registries_conf.hpp"

#include <doctest/doctest.h>

#include "fixture.hpp"
#include "support/errors.hpp"

using namespace lade;
using namespace lade::config;
using spec::Reference;

namespace {

RegistriesConf parse(std::string_view text) {
  return RegistriesConf::parse(text, "r.conf");
}

std::string error_in(std::string_view text) {
  return test::message_of([&] { parse(text); });
}

// "reference reference! reference" for the endpoints of a pull; '!' marks insecure ones.
std::string endpoints(const RegistriesConf& conf, std::string_view name) {
  std::string result;
  for (const auto& endpoint : conf.pull_endpoints(Reference::parse(name)))
    result += (result.empty() ? "" : " ") + endpoint.reference.str() + (endpoint.insecure ? "!" : "");
  return result;
}

constexpr std::string_view hex = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

}  // namespace

TEST_CASE("registries.conf: without rules an image is read from where its name says") {
  const auto found = RegistriesConf().pull_endpoints(Reference::parse("busybox:1"));
  CHECK(found == std::vector<PullEndpoint>{{Reference::parse("busybox:1"), false, false}});
}

TEST_CASE("registries.conf: the longest prefix that ends at a boundary wins") {
  const auto conf = parse(R"(
    [[registry]]
    location = "example.com"
    [[registry]]
    prefix = "example.com/ns"
    location = "short.test"
    [[registry]]
    prefix = "example.com/ns/repo:tag"
    location = "long.test/other:tag"
  )");
  CHECK(endpoints(conf, "example.com/ns/repo:tag") == "long.test/other:tag");
  CHECK(endpoints(conf, "example.com/ns/repo:tagged") == "short.test/repo:tagged");
  CHECK(endpoints(conf, "example.com/nsx/repo:tag") == "example.com/nsx/repo:tag");
  CHECK(conf.find("example.community/x") == nullptr);
  CHECK(conf.find("example.com:5000")->prefix == "example.com");
}

TEST_CASE("registries.conf: a wildcard covers subdomains and keeps names where no location is given") {
  const auto conf = parse("[[registry]]\nprefix = \"*.example.com\"\ninsecure = true\n");
  CHECK(endpoints(conf, "a.example.com:5000/x:1") == "a.example.com:5000/x:1!");
  CHECK(endpoints(conf, "a.example.com.example.com/x:1") == "a.example.com.example.com/x:1!");
  CHECK(endpoints(conf, "example.com/x:1") == "example.com/x:1");
  CHECK(endpoints(conf, "docker.io/a.example.com/x:1") == "docker.io/a.example.com/x:1");
  CHECK(conf.is_insecure("b.a.example.com"));
}

TEST_CASE("registries.conf: a wildcard's location replaces the host and leaves the port") {
  const auto conf = parse("[[registry]]\nprefix = \"*.example.com\"\nlocation = \"mirror.test\"\n");
  CHECK(endpoints(conf, "a.example.com:5000/x:1") == "mirror.test:5000/x:1");
}

TEST_CASE("registries.conf: mirrors come in order before the primary") {
  const auto conf = parse(R"(
    [[registry]]
    prefix = "docker.io/library"
    location = "localhost:5999/lib"
    insecure = true
    [[registry.mirror]]
    location = "m1.test"
    [[registry.mirror]]
    location = "m2.test/deep/er/"
    insecure = true
  )");
  CHECK(endpoints(conf, "busybox:1") ==
        "m1.test/busybox:1 m2.test/deep/er/busybox:1! localhost:5999/lib/busybox:1!");
  CHECK(conf.pull_endpoints(Reference::parse("busybox"))[0].is_mirror);
  CHECK_FALSE(conf.pull_endpoints(Reference::parse("busybox"))[2].is_mirror);
}

TEST_CASE("registries.conf: mirrors may be for digests or for tags only") {
  const auto conf = parse(R"(
    [[registry]]
    location = "x.test"
    [[registry.mirror]]
    location = "d.test"
    pull-from-mirror = "digest-only"
    [[registry.mirror]]
    location = "t.test"
    pull-from-mirror = "tag-only"
    [[registry.mirror]]
    location = "a.test"
    pull-from-mirror = "all"
  )");
  const std::string digest = "@sha256:" + std::string(hex);
  CHECK(endpoints(conf, "x.test/r:1") == "t.test/r:1 a.test/r:1 x.test/r:1");
  CHECK(endpoints(conf, "x.test/r" + digest) ==
        "d.test/r" + digest + " a.test/r" + digest + " x.test/r" + digest);
}

TEST_CASE("registries.conf: mirror-by-digest-only leaves tags to the primary") {
  const auto conf = parse(R"(
    [[registry]]
    location = "x.test"
    mirror-by-digest-only = true
    [[registry.mirror]]
    location = "m.test"
  )");
  CHECK(endpoints(conf, "x.test/r:1") == "x.test/r:1");
  CHECK(conf.pull_endpoints(Reference::parse("x.test/r@sha256:" + std::string(hex))).size() == 2);
}

TEST_CASE("registries.conf: a blocked registry is denied, with the files to look into") {
  const auto conf = parse("[[registry]]\nlocation = \"bad.test\"\nblocked = true\n");
  const auto error = test::error_of([&] { conf.pull_endpoints(Reference::parse("bad.test/x")); });
  CHECK(error.kind() == Kind::denied);
  CHECK(error.message() == "registry bad.test is blocked in one of [\"r.conf\"]");
  CHECK_THROWS_AS(conf.throw_if_blocked("bad.test"), Error);
  CHECK_NOTHROW(conf.throw_if_blocked("good.test"));
}

TEST_CASE("registries.conf: a blocked mirror is left out, a blocked primary is denied") {
  const auto conf = parse(R"(
    [[registry]]
    location = "bad.test"
    blocked = true
    [[registry]]
    location = "x.test"
    [[registry.mirror]]
    location = "bad.test"
    [[registry]]
    prefix = "y.test"
    location = "bad.test/y"
    blocked = false
  )");
  CHECK(endpoints(conf, "x.test/r:1") == "x.test/r:1");
  CHECK(test::kind_of([&] { endpoints(conf, "y.test/r:1"); }) == Kind::denied);
}

TEST_CASE("registries.conf: all other keys are read") {
  const auto conf = parse(R"(
    unqualified-search-registries = ["docker.io/", "localhost:5000", "registry.example"]
    credential-helpers = ["secretservice", "containers-auth.json"]
    short-name-mode = "enforcing"
    [aliases]
    "busybox" = "docker.io/busybox"
    "tools/jq" = "quay.io/tools/jq"
  )");
  CHECK(conf.unqualified_search_registries() ==
        std::vector<std::string>{"docker.io", "localhost:5000", "registry.example"});
  CHECK(conf.credential_helpers() == std::vector<std::string>{"secretservice", "containers-auth.json"});
  CHECK(conf.short_name_mode() == ShortNameMode::enforcing);
  CHECK(conf.aliases().at("busybox") == "docker.io/library/busybox");
  CHECK(conf.aliases().at("tools/jq") == "quay.io/tools/jq");
  CHECK(conf.warnings().empty());
}

TEST_CASE("registries.conf: unknown keys are warnings with file, line and key") {
  const auto conf = parse("future = 1\n[[registry]]\nlocation = \"x.test\"\ninsecrue = true\n");
  CHECK(conf.warnings() ==
        std::vector<std::string>{"r.conf:4: unknown key registry.insecrue", "r.conf:1: unknown key future"});
  CHECK_FALSE(conf.is_insecure("x.test"));
}

TEST_CASE("registries.conf: wrong types, values and doubles are errors with file, line and key") {
  const std::string head = "[[registry]]\nlocation = \"x.test\"\n";
  for (const auto& [text, message] : {
           std::pair{head + "insecure = \"yes\"", "r.conf:3: registry.insecure: must be true or false"},
           {"[[registry]]\nlocation = 5", "r.conf:2: registry.location: must be a string"},
           {"credential-helpers = \"x\"", "r.conf:1: credential-helpers: must be an array of strings"},
           {"credential-helpers = [1]", "r.conf:1: credential-helpers: must be a string"},
           {"[registry]\nlocation = \"x\"", "r.conf:1: registry: must be an array of tables: [[registry]]"},
           {"[[registry]]\nlocation = \"https://x\"",
            "r.conf:2: registry.location: invalid location 'https://x': URI schemes are not supported"},
           {"\n[[registry]]\ninsecure = true",
            "r.conf:2: registry.location: invalid condition: both location and prefix are unset"},
           {"[[registry]]\nprefix = \"x.test\"",
            "r.conf:1: registry.location: invalid condition: location is unset and prefix is not in the "
            "format: "
            "*.example.com"},
           {"[[registry]]\nprefix = \"*.x.test/y\"",
            "r.conf:2: registry.prefix: Wildcarded prefix should be in the format: *.example.com. Current "
            "prefix "
            "\"*.x.test/y\" is incorrectly formatted"},
           {head + "pull-from-mirror = \"all\"",
            "r.conf:3: registry.pull-from-mirror: must not be set for a non-mirror registry"},
           {head + "[[registry.mirror]]\ninsecure = true",
            "r.conf:3: registry.mirror.location: invalid condition: mirror location is unset"},
           {head + "[[registry.mirror]]\nlocation=\"m\"\npull-from-mirror=\"never\"",
            "r.conf:5: registry.mirror.pull-from-mirror: unsupported value \"never\""},
           {head + head + "blocked = true",
            "r.conf:5: registry.blocked: registry 'x.test' is defined multiple times with conflicting "
            "'blocked' "
            "setting"},
           {"short-name-mode = \"x\"", "r.conf:1: short-name-mode: invalid short-name mode: \"x\""},
           {"[registries.search]\nregistries = []",
            "r.conf:1: registries.search: registries.conf must be in v2 format but is in v1"},
       }) {
    CHECK(error_in(text) == message);
  }
}

TEST_CASE("registries.conf: broken TOML and keys given twice are errors with file and line") {
  CHECK(error_in("[[registry]]\nlocation = \"a\"\nlocation = \"b\"\n").starts_with("r.conf:3: "));
  CHECK(error_in("[[registry\n").starts_with("r.conf:1: "));
  CHECK(test::kind_of([] { parse("= = ="); }) == Kind::invalid_input);
}

TEST_CASE("registries.conf: aliases must be short names for full ones") {
  CHECK(
      error_in("[aliases]\n\"quay.io/x\" = \"quay.io/y\"").starts_with("r.conf: aliases.quay.io/x: must be"));
  CHECK(error_in("[aliases]\nx = \"library/y\"").starts_with("r.conf: aliases.x: must name registry"));
  CHECK(error_in("[aliases]\nx = \"quay.io/y:tag\"").starts_with("r.conf: aliases.x: must name registry"));
}

TEST_CASE("registries.conf: drop-ins replace entries by prefix and lists as a whole") {
  const test::Machine machine;
  const std::string etc = "root/etc/containers/";
  machine.write(
      etc + "registries.conf",
      "unqualified-search-registries = [\"a.test\"]\n[aliases]\nx = \"a.test/x\"\ny = \"a.test/y\"\n"
      "[[registry]]\nlocation = \"one.test\"\ninsecure = true\n[[registry]]\nlocation = \"two.test\"\n");
  machine.write(
      etc + "registries.conf.d/1.conf",
      "unqualified-search-registries = []\naliases = {x = \"\"}\n[[registry]]\nlocation = \"one.test\"\n");
  const auto conf = RegistriesConf::load(machine.environment);
  CHECK(conf.registries().size() == 2);
  CHECK_FALSE(conf.is_insecure("one.test"));
  CHECK(conf.unqualified_search_registries().empty());
  CHECK(conf.aliases() == std::map<std::string, std::string>{{"y", "a.test/y"}});
}

TEST_CASE("registries.conf: no file at all is an empty configuration") {
  const auto conf = RegistriesConf::load(test::Machine().environment);
  CHECK(conf.registries().empty());
  CHECK(conf.credential_helpers() == std::vector<std::string>{"containers-auth.json"});
  CHECK(conf.short_name_mode() == ShortNameMode::permissive);
}

TEST_CASE("registries.conf: a file that was named must be there") {
  const test::Machine machine;
  CHECK(test::kind_of([&] { RegistriesConf::load(machine.environment, machine.path("missing")); }) ==
        Kind::not_found);
}

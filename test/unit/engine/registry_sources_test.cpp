#include "engine/registry_sources.hpp"

#include <doctest/doctest.h>

#include "support/errors.hpp"

using namespace lade;
using namespace lade::engine;

TEST_CASE("registry sources: blocked ones are refused, and all but the allowed ones") {
  RegistrySources::parse("").require_allowed("registry", "a.example");
  const auto blocking = RegistrySources::parse(R"({"blockedRegistries":["a.example"]})");
  CHECK(test::message_of([&] { blocking.require_allowed("registry", "a.example"); }) ==
        "registry \"a.example\" denied by policy: it is in the blocked registries list");
  blocking.require_allowed("registry", "b.example");
  const auto allowing =
      RegistrySources::parse(R"({"allowedRegistries":["a.example"],"insecureRegistries":["b.example"]})");
  allowing.require_allowed("registry", "a.example");
  CHECK(test::message_of([&] { allowing.require_allowed("commit to registry at", "b.example"); }) ==
        "commit to registry at \"b.example\" denied by policy: not in allowed registries list");
  CHECK(allowing.is_insecure("b.example"));
  CHECK_FALSE(allowing.is_insecure("a.example"));
}

TEST_CASE("registry sources: what is no JSON is refused") {
  CHECK(test::message_of([] { RegistrySources::parse("["); }).starts_with("parsing $BUILD_REGISTRY_SOURCES (\"[\") as JSON"));
}

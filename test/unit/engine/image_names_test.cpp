#include "engine/image_names.hpp"

#include <doctest/doctest.h>

#include "support/errors.hpp"

using namespace lade;
using namespace lade::engine;

namespace {

const auto rules = config::RegistriesConf::parse(
    "unqualified-search-registries = [\"one.example\", \"two.example\"]\n[aliases]\n\"ubi\" = "
    "\"red.example/ubi8\"\n",
    "test.conf");

std::vector<std::string> texts(const std::vector<spec::Reference>& references) {
  std::vector<std::string> result;
  for (const auto& reference : references) result.push_back(reference.str());
  return result;
}

}  // namespace

TEST_CASE("a name is short unless it has a registry") {
  for (const char* name : {"alpine", "alpine:3", "library/alpine", "a/b/c"}) CHECK(is_short_name(name));
  for (const char* name : {"localhost/x", "quay.io/x", "host:5000/x"}) CHECK_FALSE(is_short_name(name));
}

TEST_CASE("new names are in localhost and have a tag") {
  CHECK(normalize_name("app").str() == "localhost/app:latest");
  CHECK(normalize_name("app:2").str() == "localhost/app:2");
  CHECK(normalize_name("quay.io/x/app").str() == "quay.io/x/app:latest");
  CHECK_THROWS_WITH_AS(
      normalize_name("APP"),
      "normalizing name \"APP\": invalid reference format: repository name must be lowercase", Error);
}

TEST_CASE("local names are tried as aliases, in localhost, in each search registry and at docker.io") {
  CHECK(texts(local_candidates("ubi:9", rules)) ==
        std::vector<std::string>{"red.example/ubi8:9", "localhost/ubi:9", "one.example/ubi:9",
                                 "two.example/ubi:9", "docker.io/library/ubi:9"});
  CHECK(texts(local_candidates("quay.io/x", rules)) == std::vector<std::string>{"quay.io/x:latest"});
}

TEST_CASE("the digest of a name counts, not its tag") {
  const std::string digest = "sha256:" + std::string(64, 'a');
  CHECK(texts(local_candidates("quay.io/x:1@" + digest, rules)) ==
        std::vector<std::string>{"quay.io/x@" + digest});
}

TEST_CASE("what is pulled for a short name is said") {
  const auto alias = pull_candidates("ubi", rules);
  CHECK(texts(alias.references) == std::vector<std::string>{"red.example/ubi8:latest"});
  CHECK(alias.explanation == "Resolved \"ubi\" as an alias (test.conf)");
  const auto searched = pull_candidates("app:1", rules);
  CHECK(texts(searched.references) == std::vector<std::string>{"one.example/app:1", "two.example/app:1"});
  CHECK(searched.explanation == "Resolving \"app\" using unqualified-search registries (test.conf)");
  CHECK(pull_candidates("quay.io/x", rules).explanation.empty());
  CHECK_THROWS_WITH_AS(
      pull_candidates("app", config::RegistriesConf::parse("", "test.conf")),
      "short-name \"app\" did not resolve to an alias and no unqualified-search registries are defined in "
      "\"test.conf\"",
      Error);
  CHECK_THROWS_WITH_AS(
      pull_candidates("app", config::RegistriesConf()),
      "short-name \"app\" did not resolve to an alias and no containers-registries.conf(5) was found", Error);
}

TEST_CASE("a person is asked where several registries are searched, unless the rules do not want that") {
  CHECK(pull_candidates("app", rules).ambiguous);
  CHECK_FALSE(pull_candidates("ubi", rules).ambiguous);
  CHECK_FALSE(pull_candidates("quay.io/x", rules).ambiguous);
  const auto disabled = config::RegistriesConf::parse(
      "unqualified-search-registries = [\"a.example\", \"b.example\"]\nshort-name-mode = \"disabled\"\n", "r");
  CHECK_FALSE(pull_candidates("app", disabled).ambiguous);
}

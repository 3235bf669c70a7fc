#include "sync/source_file.hpp"

#include <doctest/doctest.h>

#include "support/errors.hpp"

using namespace lade;
using namespace lade::test;
using sync::SourceFile;

TEST_CASE("a file names registries and what to take of them") {
  const auto file = SourceFile::parse(R"(
registry.example.com:
  images:
    busybox: []
    redis: ["1.0", 2.0, sha256:0000]
  images-by-tag-regex:
    nginx: ^1\.13
  images-by-semver:
    alpine: ">= 3.12.0"
  credentials:
    username: john
    password: this is a secret
  tls-verify: true
  cert-dir: /home/john/certs
quay.io:
  tls-verify: no
  images:
    coreos/etcd:
)",
                                      "sync.yml");
  REQUIRE(file.registries.size() == 2);
  const auto& first = file.registries[0];
  CHECK(first.registry == "registry.example.com");
  CHECK(first.images.at(0).second.empty());
  CHECK(first.images.at(1).second == std::vector<std::string>{"1.0", "2.0", "sha256:0000"});
  CHECK(first.images_by_tag_regex.at(0).second == "^1\\.13");
  CHECK(first.images_by_semver.at(0).second == ">= 3.12.0");
  CHECK(first.credentials->password == "this is a secret");
  CHECK(first.tls_verify == true);
  CHECK(first.cert_dir == "/home/john/certs");
  CHECK(file.registries[1].tls_verify == false);
  CHECK(file.registries[1].images.at(0).first == "coreos/etcd");
  CHECK(file.warnings.empty());
}

TEST_CASE("an unknown key is a warning with file and line") {
  const auto file = SourceFile::parse("a.example:\n  imagse: {}\n", "sync.yml");
  CHECK(file.warnings == std::vector<std::string>{"sync.yml: line 2: unknown key \"imagse\" in a.example"});
  CHECK(file.registries.at(0).names_nothing());
}

TEST_CASE("what cannot be meant is refused with file, line and key") {
  struct Row {
    std::string text, message;
  };
  const std::vector<Row> rows = {
      {"- a\n", "line 1: the file is not a map"},
      {"a:\n  images: [x]\n", "line 2: images is not a map"},
      {"a:\n  images: {x: 1}\n", "line 2: x is not a list"},
      {"a:\n  images: {x: [[1]]}\n", "line 2: an entry of x is not a string"},
      {"a:\n  tls-verify: perhaps\n", "line 2: tls-verify is neither true nor false"},
      {"a:\n  cert-dir: x\n  cert-dir: y\n", "line 3: key \"cert-dir\" is already set in a"},
      {"a: {}\na: {}\n", "line 2: key \"a\" is already set in the file"},
      {"a: [\n", "line 2: end of sequence flow not found"},
      {"a: *b\n", "line 1: the referenced anchor is not defined"},
  };
  for (const Row& row : rows) {
    CHECK(message_of([&] { SourceFile::parse(row.text, "f"); }) == "Failed to unmarshal \"f\": " + row.message);
  }
}

TEST_CASE("a file nested without end is refused") {
  CHECK(kind_of([] { SourceFile::parse(std::string(200000, '['), "f"); }) == Kind::invalid_input);
}

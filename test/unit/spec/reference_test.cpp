#include "spec/reference.hpp"

#include <doctest/doctest.h>

#include "support/errors.hpp"

using lade::spec::Digest;
using lade::spec::Reference;
using lade::test::message_of;

namespace {
const std::string digest = "sha256:" + std::string(64, 'b');
std::string fault(const std::string& text) {
  return message_of([&] { Reference::parse(text); });
}
}  // namespace

TEST_CASE("reference: names are filled in as docker does") {
  const std::pair<std::string, std::string> rows[] = {
      {"busybox", "docker.io/library/busybox"},
      {"busybox:1.36", "docker.io/library/busybox:1.36"},
      {"user/app", "docker.io/user/app"},
      {"index.docker.io/busybox", "docker.io/library/busybox"},
      {"docker.io/library/busybox", "docker.io/library/busybox"},
      {"localhost/app", "localhost/app"},
      {"localhost:5000/app:v1", "localhost:5000/app:v1"},
      {"example.com/a/b/c", "example.com/a/b/c"},
      {"EXAMPLE.com/app", "EXAMPLE.com/app"},
      {"[::1]:5000/app:v1", "[::1]:5000/app:v1"},
      {"[fe80::1]/app", "[fe80::1]/app"},
      {"a__b/c-----d/e.f_g", "docker.io/a__b/c-----d/e.f_g"},
      {"x@" + digest, "docker.io/library/x@" + digest},
      {"quay.io/x:t@" + digest, "quay.io/x:t@" + digest},
  };
  for (const auto& row : rows) {
    CAPTURE(row.first);
    const Reference reference = Reference::parse(row.first);
    CHECK(reference.str() == row.second);
    CHECK(Reference::parse(reference.str()) == reference);
    CHECK(Reference::parse(reference.familiar()) == reference);
  }
}

TEST_CASE("reference: the parts are told apart") {
  const Reference reference = Reference::parse("quay.io:443/a/b:tag@" + digest);
  CHECK(reference.domain() == "quay.io:443");
  CHECK(reference.path() == "a/b");
  CHECK(reference.name() == "quay.io:443/a/b");
  CHECK(reference.tag() == "tag");
  CHECK(reference.digest()->str() == digest);
  CHECK_FALSE(reference.is_name_only());
}

TEST_CASE("reference: what is no reference is refused") {
  for (const std::string text : {"",
                                 "/a",
                                 "a/",
                                 "a//b",
                                 "-a/b",
                                 "a/-b",
                                 "a/b-",
                                 "a___b",
                                 "a..b",
                                 "a._b",
                                 "busybox:",
                                 "busybox:.x",
                                 "busybox:a/b",
                                 "busybox@",
                                 "busybox@sha256:abc",
                                 "busybox@x",
                                 "a b",
                                 "example.com:/x",
                                 "example.com:5x/x",
                                 "a_b.c/x",
                                 "[::1/x",
                                 "[]:5000/x",
                                 "[::g]/x",
                                 "-x.com/a",
                                 "x..com/a",
                                 "busybox\n",
                                 "caf\xC3\xA9"}) {
    CAPTURE(text);
    CHECK(fault(text) == "invalid reference format");
  }
}

TEST_CASE("reference: upper case, identifiers, digests and lengths have their own words") {
  CHECK(fault("Busybox") == "invalid reference format: repository name must be lowercase");
  CHECK(fault("FOO/bar") == "invalid reference format: repository name must be lowercase");
  const std::string id(64, 'a');
  CHECK(fault(id) == "invalid repository name (" + id + "), cannot specify 64-byte hexadecimal strings");
  CHECK(fault("busybox@sha256:" + std::string(40, 'a')) == "invalid checksum digest length");
  CHECK(fault("busybox@md5:" + std::string(32, 'a')) == "unsupported digest algorithm");
  CHECK(fault(std::string(256, 'a')) == "repository name must not be more than 255 characters");
}

TEST_CASE("reference: a tag has at most 128 characters") {
  CHECK(lade::spec::is_valid_tag(std::string(128, 'x')));
  CHECK_FALSE(lade::spec::is_valid_tag(std::string(129, 'x')));
  CHECK(lade::spec::is_valid_tag("_A.b-9"));
  CHECK_FALSE(lade::spec::is_valid_tag("-a"));
  CHECK_FALSE(lade::spec::is_valid_tag(""));
  CHECK(message_of([] { Reference::parse("a").with_tag("b c"); }) == "invalid tag format");
}

TEST_CASE("reference: edited copies") {
  const Reference reference = Reference::parse("quay.io/a:b");
  CHECK(reference.with_tag("c").str() == "quay.io/a:c");
  CHECK(reference.with_digest(Digest::parse(digest)).str() == "quay.io/a@" + digest);
  CHECK(reference.without_tag_or_digest().is_name_only());
  CHECK(reference.with_default_tag() == reference);
  CHECK(Reference::parse("quay.io/a").with_default_tag().tag() == "latest");
  CHECK(Reference::parse("quay.io/a@" + digest).with_default_tag().tag() == std::nullopt);
}

TEST_CASE("reference: the familiar form leaves out what docker fills in") {
  CHECK(Reference::parse("docker.io/library/busybox:1").familiar() == "busybox:1");
  CHECK(Reference::parse("docker.io/user/app").familiar() == "user/app");
  CHECK(Reference::parse("docker.io/library/a/b").familiar() == "library/a/b");
  CHECK(Reference::parse("quay.io/library/a").familiar() == "quay.io/library/a");
  CHECK(Reference::parse("docker.io/my.team/app").familiar() == "docker.io/my.team/app");
}

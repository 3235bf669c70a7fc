#include "spec/platform.hpp"

#include <doctest/doctest.h>

#include "support/errors.hpp"

using namespace lade::spec;

namespace {

Platform host(std::string architecture, std::string variant) {
  return {"linux", std::move(architecture), std::move(variant), "", {}};
}

std::string wanted(const PlatformChoice& choice, const Platform& machine) {
  std::string text;
  for (const Platform& platform : wanted_platforms(choice, machine)) text += platform.str() + " ";
  return text;
}

}  // namespace

TEST_CASE("platform: OS/ARCH and OS/ARCH/VARIANT round-trip") {
  for (const std::string text : {"linux/amd64", "linux/arm/v7", "windows/amd64"})
    CHECK(Platform::parse(text).str() == text);
  CHECK(Platform::parse("linux/arm/v7").variant == "v7");
}

TEST_CASE("platform: other texts are refused") {
  for (const std::string text : {"", "linux", "linux/", "/amd64", "linux/arm/", "a/b/c/d", "linux/a b"}) {
    CAPTURE(text);
    CHECK(lade::test::kind_of([&] { Platform::parse(text); }) == lade::Kind::invalid_input);
  }
}

TEST_CASE("platform: the machine's own is wanted by default") {
  CHECK(wanted({}, host("amd64", "")) == "linux/amd64 ");
  CHECK(wanted({}, host("arm64", "v8")) == "linux/arm64/v8 linux/arm64 ");
  CHECK(wanted({}, host("arm", "v7")) == "linux/arm/v7 linux/arm/v6 linux/arm/v5 linux/arm ");
}

TEST_CASE("platform: an architecture asked for turns the detection of variants off") {
  CHECK(wanted({"", "arm64", ""}, host("arm64", "v8")) == "linux/arm64 linux/arm64/v8 ");
  CHECK(wanted({"", "arm", ""}, host("amd64", "")) ==
        "linux/arm linux/arm/v8 linux/arm/v7 linux/arm/v6 linux/arm/v5 ");
  CHECK(wanted({"windows", "amd64", ""}, host("arm64", "v8")) == "windows/amd64 ");
}

TEST_CASE("platform: a variant asked for is followed by the weaker ones and by none") {
  CHECK(wanted({"", "arm", "v6"}, host("amd64", "")) == "linux/arm/v6 linux/arm/v5 linux/arm ");
  CHECK(wanted({"", "", "v6"}, host("arm", "v7")) == "linux/arm/v6 linux/arm/v5 linux/arm ");
  CHECK(wanted({"", "amd64", "v3"}, host("amd64", "")) == "linux/amd64/v3 linux/amd64 ");
}

TEST_CASE("platform: variants are detected from the name of the machine") {
  CHECK(detect_variant("arm", "armv7l") == "v7");
  CHECK(detect_variant("arm", "armv6l") == "v6");
  CHECK(detect_variant("arm", "armv5tel") == "v5");
  CHECK(detect_variant("arm", "aarch64") == "v8");
  CHECK(detect_variant("arm", "strange").empty());
  CHECK(detect_variant("arm64", "aarch64") == "v8");
  CHECK(detect_variant("amd64", "x86_64").empty());
}

TEST_CASE("platform: the host has an OS and an architecture") {
  CHECK(host_os() == host_platform().os);
  CHECK(host_architecture() == host_platform().architecture);
  CHECK(wanted_platforms({}).front() == host_platform());
}

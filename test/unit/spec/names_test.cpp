#include <doctest/doctest.h>

#include "spec/base64.hpp"
#include "spec/image_name.hpp"
#include "spec/time.hpp"
#include "support/errors.hpp"

using namespace lade::spec;
using lade::test::message_of;

TEST_CASE("image name: cut at the first colon") {
  CHECK(ImageName::parse("docker://a:5000/b:c").transport == "docker");
  CHECK(ImageName::parse("docker://a:5000/b:c").rest == "//a:5000/b:c");
  CHECK(ImageName::parse("dir:").rest.empty());
  CHECK(ImageName::parse("oci:/x:y").str() == "oci:/x:y");
  CHECK(message_of([] { ImageName::parse("busybox"); }) ==
        "Invalid image name \"busybox\", expected colon-separated transport:reference");
}

TEST_CASE("time: written again as Go does") {
  const std::pair<const char*, const char*> rows[] = {
      {"2024-01-02T03:04:05Z", "2024-01-02T03:04:05Z"},
      {"2024-01-02T03:04:05.120300000Z", "2024-01-02T03:04:05.1203Z"},
      {"2024-01-02T03:04:05.000Z", "2024-01-02T03:04:05Z"},
      {"2024-01-02T03:04:05.1234567899Z", "2024-01-02T03:04:05.123456789Z"},
      {"2024-01-02T03:04:05.5+02:00", "2024-01-02T03:04:05.5+02:00"},
      {"2024-01-02T03:04:05-00:00", "2024-01-02T03:04:05Z"},
      {"2024-02-29T23:59:59+00:00", "2024-02-29T23:59:59Z"},
  };
  for (const auto& [text, written] : rows) CHECK(normalize_time(text) == written);
}

TEST_CASE("time: what is no time is refused") {
  for (const char* text :
       {"", "2024", "2024-01-02", "2024-01-02T03:04:05", "2024-13-02T03:04:05Z", "2023-02-29T03:04:05Z",
        "2024-01-02T24:04:05Z", "2024-01-02T03:04:60Z", "2024-01-02T03:04:05.Z", "2024-01-02 03:04:05Z",
        "2024-01-02T03:04:05z", "2024-01-02T03:04:05+0200", "2024-01-02T03:04:05+24:00",
        "2024-01-02T03:04:05ZZ"}) {
    CAPTURE(text);
    CHECK_FALSE(normalize_time(text));
  }
  CHECK(time_or_zero("") == "0001-01-01T00:00:00Z");
  CHECK_THROWS_AS(time_or_zero("yesterday"), lade::Error);
}

TEST_CASE("base64url: the test vectors of RFC 4648, without padding") {
  const std::pair<const char*, const char*> rows[] = {
      {"", ""}, {"f", "Zg"}, {"fo", "Zm8"}, {"foo", "Zm9v"}, {"foob", "Zm9vYg"}, {"\xfb\xff", "-_8"}};
  for (const auto& [bytes, text] : rows) {
    CHECK(base64url_encode(bytes) == text);
    CHECK(base64url_decode(text) == bytes);
  }
  CHECK(base64url_decode("Zg==") == "f");
}

TEST_CASE("base64url: what no encoder writes is refused") {
  for (const char* text : {"Z", "Zg===", "Zh", "Z g", "Zm+v", "Zm8v/"}) {
    CAPTURE(text);
    CHECK_FALSE(base64url_decode(text));
  }
}

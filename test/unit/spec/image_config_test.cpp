#include "spec/image_config.hpp"

#include <doctest/doctest.h>

#include "support/errors.hpp"

using namespace lade::spec;
using lade::test::message_of;

namespace {

const std::string diff_id = "sha256:" + std::string(64, 'a');

const std::string docker_config =
    R"({"architecture":"arm","config":{"Hostname":"h","Env":["A=<1>"],"Cmd":["sh"],"Labels":{"b":"2","a":"1"},)"
    R"("ExposedPorts":{"80/tcp":{},"53/udp":{}},"Volumes":{},"OnBuild":null,"ArgsEscaped":true,"User":"u"},)"
    R"("container":"c","created":"2024-01-02T03:04:05.1200Z","docker_version":"20.10","author":"me",)"
    R"("history":[{"created":"2024-01-02T03:04:05Z","created_by":"x"},{"empty_layer":true,"comment":"c"}],)"
    R"("os":"linux","variant":"v7","rootfs":{"type":"layers","diff_ids":[")" +
    diff_id + R"("]}})";

}  // namespace

TEST_CASE("image config: what lade shows is read") {
  const auto config = ImageConfig::parse(docker_config);
  CHECK(config.created == "2024-01-02T03:04:05.1200Z");
  CHECK(config.os == "linux");
  CHECK(config.variant == "v7");
  CHECK(config.docker_version == "20.10");
  CHECK(config.env == std::vector<std::string>{"A=<1>"});
  CHECK(config.labels->at("b") == "2");
  CHECK(config.diff_ids == std::vector{DiffId{Digest::parse(diff_id)}});
  CHECK(config.history.size() == 2);
  CHECK(config.history[1].empty_layer);
}

TEST_CASE("image config: labels and environment are told apart from empty ones") {
  CHECK_FALSE(ImageConfig::parse("{}").labels);
  CHECK_FALSE(ImageConfig::parse(R"({"config":{"Env":null}})").env);
  const auto config = ImageConfig::parse(R"({"config":{"Env":[],"Labels":{}}})");
  CHECK(config.env->empty());
  CHECK(config.labels->empty());
}

TEST_CASE("image config: OCI's document has only OCI's members, in Go's order") {
  CHECK(
      dump_json(ImageConfig::parse(docker_config).oci_document()) ==
      R"({"created":"2024-01-02T03:04:05.12Z","author":"me","architecture":"arm","os":"linux","variant":"v7",)"
      R"("config":{"User":"u","ExposedPorts":{"53/udp":{},"80/tcp":{}},"Env":["A=\u003c1\u003e"],"Cmd":["sh"],)"
      R"("Labels":{"a":"1","b":"2"},"ArgsEscaped":true},"rootfs":{"type":"layers","diff_ids":[")" +
          diff_id +
          R"("]},"history":[{"created":"2024-01-02T03:04:05Z","created_by":"x"},)"
          R"({"comment":"c","empty_layer":true}]})");
}

TEST_CASE("image config: of an empty document OCI's required members remain") {
  CHECK(dump_json(ImageConfig::parse("{}").oci_document()) ==
        R"({"architecture":"","os":"","rootfs":{"type":"","diff_ids":null}})");
}

TEST_CASE("image config: writing OCI's document again changes nothing") {
  const std::string once = dump_json(ImageConfig::parse(docker_config).oci_document());
  CHECK(dump_json(ImageConfig::parse(once).oci_document()) == once);
}

TEST_CASE("image config: os version and features are kept") {
  const std::string text = R"({"architecture":"amd64","os":"windows","os.version":"10","os.features":["f"],)"
                           R"("rootfs":{"type":"layers","diff_ids":[]}})";
  CHECK(dump_json(ImageConfig::parse(text).oci_document()) == text);
}

TEST_CASE("image config: what is malformed is refused") {
  const std::pair<const char*, const char*> rows[] = {
      {"[]", "invalid image configuration: the document is not an object"},
      {R"({"config":[]})", "invalid image configuration: config is not an object"},
      {R"({"os":1})", "invalid image configuration: os is not a string"},
      {R"({"history":[1]})", "invalid image configuration: an entry of history is not an object"},
      {R"({"rootfs":{"diff_ids":["x"]}})", "invalid image configuration: invalid checksum digest format"},
  };
  for (const auto& row : rows) {
    CHECK(message_of([&] { ImageConfig::parse(row.first); }) == row.second);
  }
  CHECK(message_of([] { ImageConfig::parse(R"({"created":"now"})").oci_document(); }) ==
        "invalid image configuration: created is not a time of RFC 3339");
}

#include <doctest/doctest.h>

#include "fixture.hpp"
#include "support/errors.hpp"

using namespace lade;
using namespace lade::build;

TEST_CASE("builder: a state of buildah keeps members that lade does not know") {
  const auto builder =
      Builder::parse(R"({"type":"buildah 0.0.1","container-name":"c","Novel":{"x":[1]}})", "c");
  const auto again = Builder::parse(builder.serialize(), "c");
  CHECK(again.document()["Novel"]["x"][0] == 1);
  CHECK(again.name() == "c");
}

TEST_CASE("builder: a state of another type is refused with its name") {
  CHECK_THROWS_WITH(Builder::parse(R"({"type":"podman 1"})", "c"),
                    "container \"c\" is not a buildah container (is a \"podman 1\" container)");
  CHECK_THROWS_AS(Builder::parse("[]", "c"), Error);
  CHECK_THROWS_AS(Builder::parse("{", "c"), Error);
}

TEST_CASE("builder: settings go into both forms, and what is Docker's into Docker's") {
  auto builder = Builder::make("c", "1");
  auto settings = builder.settings();
  settings.set_env("A", "1");
  settings.set_env("A", "2");
  settings.set_text("Hostname", "h");
  settings.add_to_set("ExposedPorts", "80/tcp");
  settings.set_label("l", "v");
  CHECK(settings.list("Env") == std::vector<std::string>{"A=2"});
  CHECK(settings.oci()["config"]["ExposedPorts"].contains("80/tcp"));
  CHECK_FALSE(settings.oci()["config"].contains("Hostname"));
  CHECK(settings.docker()["config"]["Hostname"] == "h");
  CHECK(settings.docker()["config"]["Labels"]["l"] == "v");
  settings.unset_env("A");
  settings.remove_from_set("ExposedPorts", "80/tcp");
  CHECK(settings.list("Env").empty());
  CHECK(settings.set("ExposedPorts").empty());
}

TEST_CASE("from: containers are named after their image, with a number where that is taken") {
  CHECK(image_name_prefix("docker.io/library/alpine:3") == "alpine");
  CHECK(image_name_prefix("sha256:" + std::string(64, 'a')) == std::string(12, 'a'));
  CHECK(image_name_prefix("localhost:5000/x/y@sha256:" + std::string(64, 'a')) == "localhost");
  test::Workshop shop;
  const auto image = shop.put_image("app", {{"etc/", ""}, {"etc/motd", "hello"}});
  CHECK(shop.from(image).name() == "app-working-container");
  CHECK(shop.from(image).name() == "app-working-container-1");
  CHECK(shop.from_scratch().name() == "working-container");
}

TEST_CASE("from: a given name that is taken is an error, and nothing remains") {
  test::Workshop shop;
  NewBuilder wanted;
  wanted.name = "mine";
  create_builder(*shop.builders, wanted);
  CHECK_THROWS_AS(create_builder(*shop.builders, wanted), Error);
  CHECK(shop.builders->all().size() == 1);
}

TEST_CASE("from: the state has what the image says of itself") {
  test::Workshop shop;
  const auto image = shop.put_image("app", {{"motd", "hello"}});
  auto builder = *shop.builders->find(shop.from(image).name());
  CHECK(builder.image_id() == image);
  CHECK(builder.settings().list("Env") == std::vector<std::string>{"A=1"});
  CHECK(builder.settings().list("Cmd") == std::vector<std::string>{"/bin/sh"});
  CHECK(builder.settings().annotations()["org.opencontainers.image.base.name"] == "example.com/app:latest");
  CHECK(builder.config_bytes().find("diff_ids") != std::string::npos);
}

TEST_CASE("builders: a container without a state is taken over") {
  test::Workshop shop;
  store::NewContainer other;
  other.names = {"podmans"};
  other.image = shop.put_image("app", {{"motd", "hello"}});
  const auto record = shop.store->create_container(background(), other);
  CHECK(shop.builders->all().empty());
  CHECK(shop.builders->open("podmans").id() == record.id);
  CHECK(shop.builders->all().size() == 1);
  CHECK_FALSE(shop.builders->find("nobody").has_value());
}

TEST_CASE("builder: ID maps are kept as buildah has them") {
  auto builder = Builder::make("c", std::string(64, '1'));
  CHECK(builder.id_maps() == layer::IdMaps{});
  builder.set_namespaces({{"user", false, ""}});
  builder.set_id_maps({{{0, 1000, 5}}, {{0, 2000, 6}}});
  const auto& options = builder.document()["IDMappingOptions"];
  CHECK(options["HostUIDMapping"] == false);
  CHECK(options["UIDMap"][0].dump() == R"({"containerID":0,"hostID":1000,"size":5})");
  CHECK(Builder::parse(builder.serialize(), "c").id_maps() == layer::IdMaps{{{0, 1000, 5}}, {{0, 2000, 6}}});
  builder.document()["IDMappingOptions"]["UIDMap"][0]["hostID"] = -1;
  CHECK_THROWS_WITH((void)builder.id_maps(), "IDMappingOptions: UIDMap has no hostID");
}

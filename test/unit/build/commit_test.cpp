#include "build/commit.hpp"

#include <doctest/doctest.h>
#include <sys/stat.h>

#include "archive/tar_reader.hpp"
#include "fixture.hpp"
#include "spec/image_config.hpp"
#include "support/errors.hpp"

using namespace lade;
using namespace lade::build;

namespace {

spec::Json config_of(test::Workshop& shop, const std::string& id) {
  return spec::parse_json(shop.store->image_big_data(background(), id, "sha256:" + id), "config");
}

std::string names_in_top_layer(test::Workshop& shop, const std::string& id) {
  const auto image = shop.store->find_image(background(), id);
  const auto tar = shop.store->open_diff(background(), image->layer);
  archive::TarReader reader(*tar);
  std::string names;
  while (const auto* entry = reader.next()) names.append(entry->header.name).append(" ");
  return names;
}

}  // namespace

TEST_CASE("commit: the new layer has what was changed, the image the container's settings") {
  test::Workshop shop;
  auto builder = shop.from(shop.put_image("app", {{"etc/", ""}, {"etc/motd", "hello"}, {"etc/old", "x"}}));
  os::write_file(shop.files_of(builder) / "etc/new", "content");
  std::filesystem::remove(shop.files_of(builder) / "etc/old");
  builder.settings().set_label("l", "v");
  CommitOptions options;
  options.names = {"localhost/result:latest"};
  const auto committed = commit(*shop.builders, builder, options);
  CHECK(names_in_top_layer(shop, committed.id) == "etc/ etc/new etc/.wh.old ");
  const auto config = config_of(shop, committed.id);
  CHECK(config["config"]["Labels"]["l"] == "v");
  CHECK(config["rootfs"]["diff_ids"].size() == 2);
  CHECK(config["history"].size() == 2);
  CHECK(config["history"][1]["comment"] == "FROM example.com/app:latest");
  CHECK(shop.store->find_image(background(), "localhost/result:latest")->id == committed.id);
}

TEST_CASE("commit: the same changes at a fixed time are the same image") {
  std::string first;
  for (int round = 0; round < 2; ++round) {
    test::Workshop shop;
    auto builder = shop.from_scratch();
    os::write_file(shop.files_of(builder) / "file", "content");
    const std::timespec times[2] = {{round + 1000, 0}, {round + 1000, 0}};
    ::utimensat(AT_FDCWD, (shop.files_of(builder) / "file").c_str(), times, 0);
    CommitOptions options;
    options.timestamp = 60;
    for (const bool docker : {false, true}) {
      options.docker_format = docker;
      const auto id = commit(*shop.builders, builder, options).id;
      if (docker) continue;
      if (round == 0) first = id;
      CHECK(id == first);
      CHECK(config_of(shop, id)["created"] == "1970-01-01T00:01:00Z");
    }
  }
}

TEST_CASE("commit: squashed it is one layer without the base's history") {
  test::Workshop shop;
  auto builder = shop.from(shop.put_image("app", {{"etc/", ""}, {"etc/motd", "hello"}}));
  CommitOptions options;
  options.squash = true;
  const auto config = config_of(shop, commit(*shop.builders, builder, options).id);
  CHECK(config["rootfs"]["diff_ids"].size() == 1);
  CHECK(config["history"].size() == 1);
}

TEST_CASE("commit: Docker's form names its container, and gzip its layers") {
  test::Workshop shop;
  auto builder = shop.from_scratch();
  os::write_file(shop.files_of(builder) / "file", "content");
  CommitOptions options;
  options.docker_format = true;
  options.gzip = true;
  const auto committed = commit(*shop.builders, builder, options);
  CHECK(config_of(shop, committed.id)["container"] == builder.id());
  const auto manifest = spec::Manifest::parse(committed.manifest.bytes, committed.manifest.media_type);
  CHECK(manifest.layers()[0].media_type == "application/vnd.docker.image.rootfs.diff.tar.gzip");
  const auto image = shop.store->find_image(background(), committed.id);
  CHECK(shop.store->find_layer(background(), image->layer)->compressed_digest == manifest.layers()[0].digest);
}

TEST_CASE("commit: mount targets that buildah left are not in the layer, unless somebody used them") {
  test::Workshop shop;
  auto builder = shop.from_scratch();
  const auto files = shop.files_of(builder);
  for (const char* name : {"target", "used"}) {
    os::write_file(files / name, "", {.mode = 0644, .sync = false});
    const std::timespec times[2] = {{100, 0}, {100, 0}};
    ::utimensat(AT_FDCWD, (files / name).c_str(), times, 0);
  }
  os::write_file(files / "used", "data", {.mode = 0644, .sync = false});
  const auto lists = shop.store->container_directory(builder.id()) / "commit-excludes";
  os::mkdir_all(lists);
  os::write_file(lists / "filter1",
                 R"([{"Path":"target","ModTime":"1970-01-01T00:01:40Z","Mode":420,"Owner":null},
    {"Path":"used","ModTime":"1970-01-01T00:01:40Z","Mode":420}])");
  CHECK(names_in_top_layer(shop, commit(*shop.builders, builder, {}).id) == "used ");
}

TEST_CASE("commit: further files are a layer of their own") {
  test::Workshop shop;
  auto builder = shop.from_scratch();
  shop.directory.write("extra", "text");
  CommitOptions options;
  options.add_files = {{"/etc/extra", shop.directory / "extra"}};
  const auto id = commit(*shop.builders, builder, options).id;
  CHECK(names_in_top_layer(shop, id) == "etc/extra ");
  CHECK(config_of(shop, id)["history"].size() == 2);
}

#include <doctest/doctest.h>

#include "fixture.hpp"
#include "support/errors.hpp"

using namespace lade;
using namespace lade::store;
using lade::test::Files;

namespace {

const Files recovery_base{{"etc/", ""}, {"etc/motd", "hello"}};

}  // namespace

TEST_CASE("recovery: layers that were not complete are absent, and removed by the next who opens the store") {
  const test::Place place;
  const auto image = test::put(*place.open(), "app", {recovery_base});
  const std::string half = test::hex_of("half"), records = "root/overlay-layers/layers.json";
  std::string text = place.directory.read(records);
  text.insert(text.size() - 1, R"(,{"id":")" + half + R"(","flags":{"incomplete":true}})");
  place.directory.write(records, text);
  place.directory.write("root/overlay/" + half + "/diff/file", "x");
  place.directory.write("root/overlay/" + half + "/link", "LINK");
  place.directory.write("root/overlay/l/LINK", "");
  place.directory.write("root/overlay-layers/" + half + ".tar-split.gz", "");

  CHECK_FALSE(place.open(Store::Access::read_only)->find_layer(background(), half).has_value());
  const auto store = place.open();
  CHECK(store->layers(background()).size() == 1);
  CHECK(place.records("layers").find(half) == std::string::npos);
  for (const auto& [name, content] : place.directory.snapshot()) {
    CHECK(name.find(half) == std::string::npos);
    CHECK(name.find("LINK") == std::string::npos);
  }
  CHECK(test::diff_of(*store, image.layer) == test::make_tar(recovery_base));
}

TEST_CASE("recovery: what a killed program left under a layer's ID does not hinder the layer") {
  const test::Place place;
  const auto id = test::hex_of(test::make_tar(recovery_base));
  place.directory.write("root/overlay/" + id + "/diff/other", "x");
  place.directory.write("root/overlay-layers/" + id + ".tar-split.gz", "other");
  const auto store = place.open();
  const auto image = test::put(*store, "app", {recovery_base});
  CHECK(image.layer == id);
  CHECK(test::diff_of(*store, id) == test::make_tar(recovery_base));
  CHECK_FALSE(place.directory.has("root/overlay/" + id + "/diff/other"));
}

TEST_CASE("recovery: temporary trees without an owner are removed, those in use are not") {
  const test::Place place;
  place.directory.write("root/overlay/tempdirs/temp-dir-1/x", "");
  place.directory.write("root/overlay-layers/tmp/temp-dir-2/x", "");
  place.directory.write("root/overlay-layers/tmp/lock-2", "");
  const auto store = place.open();
  CHECK(std::filesystem::is_empty(place.directory / "root/overlay/tempdirs"));
  CHECK(std::filesystem::is_empty(place.directory / "root/overlay-layers/tmp"));
  const auto pending = test::layer_of(*store, recovery_base);
  place.open();
  CHECK(place.directory.has("root/overlay/tempdirs/" + pending.pending->files.path().filename().string()));
}

TEST_CASE("recovery: when a layer cannot be added, the store is as it was") {
  const test::Place place;
  const auto store = place.open();
  test::put(*store, "app", {recovery_base});
  const auto before = place.records("layers");
  const auto layer = test::layer_of(*store, {{"x", "1"}});
  std::filesystem::remove(layer.pending->tar_split);
  CHECK_THROWS_AS(store->put_image(background(), test::image_of("other", {layer})), Error);
  CHECK(place.records("layers") == before);
  CHECK(store->images(background()).size() == 1);
  CHECK_FALSE(place.directory.has("root/overlay/" + layer.diff_id.hex()));
}

TEST_CASE("recovery: a store with malformed records is refused and left alone") {
  const test::Place place;
  for (const std::string kind : {"layers", "images", "containers"}) {
    const std::string file = "root/overlay-" + kind + "/" + kind + ".json";
    test::put(*place.open(), "app", {recovery_base});
    const auto sound = kind == "containers" ? "[]" : place.directory.read(file);
    place.directory.write(file, "[{");
    const auto message = test::message_of([&] {
      const auto store = place.open();
      store->images(background());
      store->containers(background());
    });
    CHECK(message.find(kind + ".json") != std::string::npos);
    CHECK(place.directory.read(file) == "[{");
    place.directory.write(file, sound);
  }
}

TEST_CASE("recovery: members and records of other tools survive our edits") {
  const test::Place place;
  test::put(*place.open(), "app", {recovery_base});
  const std::string file = "root/overlay-layers/layers.json";
  std::string text = place.directory.read(file);
  text.insert(2, R"("zz-future":{"x":[1,2.5,"<"]},)");
  place.directory.write(file, text);
  const auto store = place.open();
  const auto other = test::put(*store, "other", {{{"x", ""}}});
  CHECK(place.records("layers").find(R"("zz-future":{"x":[1,2.5,"\u003c"]})") != std::string::npos);
  store->delete_image(background(), other.id);
  CHECK(place.records("layers").find(R"("zz-future")") != std::string::npos);
}

TEST_CASE("opening: the driver is what is there, and two in one place are refused") {
  test::Place place("vfs");
  test::put(*place.open(), "app", {recovery_base});
  place.options.driver = "";
  CHECK(place.open()->layout().driver == "vfs");
  os::mkdir_all(place.directory / "root/overlay");
  CHECK(test::message_of([&] { place.open(); }).find("contains several valid graphdrivers: overlay, vfs") !=
        std::string::npos);
  std::filesystem::remove_all(place.directory / "root");
  place.options.driver = "btrfs";
  CHECK(test::kind_of([&] { place.open(); }) == Kind::unsupported);
}

TEST_CASE("opening: no second driver is put beside the first") {
  test::Place place("vfs");
  test::put(*place.open(), "app", {recovery_base});
  place.options.driver = "overlay";
  CHECK(test::message_of([&] { place.open(); }).find("is a store of the driver vfs, not of overlay") !=
        std::string::npos);
  CHECK_FALSE(place.directory.has("root/overlay"));
}

TEST_CASE("opening: a store that is not there cannot be read, and is not created for it") {
  const test::Place place("vfs");
  CHECK(test::kind_of([&] { place.open(Store::Access::read_only); }) == Kind::not_found);
  CHECK(place.directory.snapshot().empty());
}

TEST_CASE("opening: options that would change the format are refused") {
  test::Place place;
  place.options.driver_options = {"overlay.force_mask=shared"};
  CHECK(test::kind_of([&] { place.open(); }) == Kind::unsupported);
}

TEST_CASE("opening: a store that fuse-overlayfs wrote is recognised") {
  test::Place place;
  std::filesystem::remove(place.directory / "root/overlay/.has-mount-program");
  place.directory.write("root/overlay/some/diff/.wh.gone", "");
  place.options.driver_options.push_back("overlay.mount_program=/usr/bin/fuse-overlayfs");
  const auto store = place.open();
  CHECK(place.directory.read("root/overlay/.has-mount-program") == "true");
  const auto image = test::put(*store, "app", {{{"a/", ""}, {"a/.wh.b", ""}, {"a/.wh..wh..opq", ""}}});
  CHECK(place.directory.has("root/overlay/" + image.layer + "/diff/a/.wh.b"));
  CHECK(place.directory.has("root/overlay/" + image.layer + "/diff/a/.wh..wh..opq"));
}

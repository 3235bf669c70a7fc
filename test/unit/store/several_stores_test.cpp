#include <doctest/doctest.h>

#include "fixture.hpp"
#include "os/mount.hpp"
#include "support/errors.hpp"
#include "support/privileges.hpp"

using namespace lade;
using namespace lade::store;
using lade::test::Files;

namespace {

const Files shared_base{{"etc/", ""}, {"etc/motd", "hello"}};

// A store that uses the images of another.
struct Two {
  explicit Two(const std::string& driver) : shared(driver), own(driver) {
    image = test::put(*shared.open(), "shared", {shared_base, {{"x", "1"}}});
    own.options.driver_options.push_back("additionalimagestore=" + shared.options.graph_root.string());
  }

  test::Place shared, own;
  ImageRecord image;
};

}  // namespace

TEST_CASE("additional stores: their images are there, and read-only") {
  const Two two("vfs");
  const auto before = two.shared.directory.snapshot();
  const auto store = two.own.open();
  const auto found = store->find_image(background(), "example.com/shared:latest");
  REQUIRE(found.has_value());
  CHECK(store->is_read_only(background(), *found));
  CHECK(store->image_big_data(background(), found->id, "manifest") == "manifest of shared");
  CHECK(test::diff_of(*store, store->chain(background(), found->layer)[0].id) == test::make_tar(shared_base));
  CHECK(test::kind_of([&] { store->delete_image(background(), found->id); }) == Kind::unsupported);
  CHECK(two.shared.directory.snapshot() == before);
}

TEST_CASE("additional stores: their layers are shared with images of our own" *
          doctest::skip(!test::is_privileged())) {
  for (const std::string driver : {"vfs", "overlay"}) {
    const Two two(driver);
    const auto store = two.own.open();
    const auto image = test::put(*store, "own", {shared_base, {{"y", "2"}}});
    const auto chain = store->chain(background(), image.layer);
    CHECK(two.own.records("layers").find("\"id\":\"" + chain[0].id) == std::string::npos);
    CHECK(test::diff_of(*store, chain[0].id) == test::make_tar(shared_base));
    CHECK(test::diff_of(*store, chain[1].id) == test::make_tar({{"y", "2"}}));
    if (driver != "overlay" || ::geteuid() != 0) continue;
    const auto path = store->mount_layer(background(), image.layer);
    CHECK(std::filesystem::exists(path / "etc/motd"));
    store->unmount_layer(background(), image.layer);
    const auto theirs = store->mount_layer(background(), two.image.layer);
    CHECK(theirs.string().starts_with(two.own.options.run_root.string()));
    CHECK(os::read_file(theirs / "x", 10) == "1");
    store->unmount_layer(background(), two.image.layer);
  }
}

TEST_CASE("additional stores: a name given to one of their images makes a record of our own") {
  const Two two("vfs");
  const auto store = two.own.open();
  store->add_names(background(), two.image.id, {"example.com/mine:1"});
  const auto image = store->find_image(background(), "example.com/mine:1");
  REQUIRE(image.has_value());
  CHECK(image->id == two.image.id);
  CHECK_FALSE(store->is_read_only(background(), *image));
  CHECK(store->image_big_data(background(), image->id, "manifest") == "manifest of shared");
  CHECK(store->layers(background()).size() == 2);
  CHECK(store->delete_image(background(), image->id).empty());
  CHECK(store->find_image(background(), "example.com/shared:latest").has_value());
}

TEST_CASE("additional stores: the store itself is none of them") {
  test::Place place("vfs");
  os::mkdir_all(place.options.graph_root);
  place.options.driver_options.push_back("additionalimagestore=" + place.options.graph_root.string() +
                                         "/../root");
  const auto store = place.open();
  const auto image = test::put(*store, "app", {shared_base});
  CHECK(store->delete_image(background(), image.id).size() == 1);
}

TEST_CASE("additional stores: one that is not there is an error") {
  test::Place place("vfs");
  place.options.driver_options.push_back("additionalimagestore=/nowhere/at/all");
  CHECK(test::kind_of([&] { place.open(); }) == Kind::not_found);
}

TEST_CASE("image store: images and their layers live there, tar-split files and containers do not" *
          doctest::skip(!test::is_privileged())) {
  for (const std::string driver : {"vfs", "overlay"}) {
    test::Place place(driver);
    place.options.image_store = place.directory / "images";
    const auto store = place.open();
    const auto image = test::put(*store, "app", {shared_base, {{"x", "1"}}});
    const auto& directory = place.directory;
    const std::string files = driver == "vfs" ? "/vfs/dir/" : "/overlay/";
    CHECK(directory.read("images/" + driver + "-images/images.json").find(image.id) != std::string::npos);
    CHECK(directory.read("images/" + driver + "-layers/layers.json").find(image.layer) != std::string::npos);
    CHECK(directory.has("images" + files + image.layer));
    CHECK(directory.has("root/" + driver + "-layers/" + image.layer + ".tar-split.gz"));
    NewContainer container;
    container.image = image.id;
    const auto created = store->create_container(background(), container);
    CHECK(directory.has("root" + files + created.layer));
    CHECK(directory.read("root/" + driver + "-layers/layers.json").find(created.layer) != std::string::npos);
    CHECK(test::diff_of(*store, image.layer) == test::make_tar({{"x", "1"}}));
    if (driver == "overlay" && ::geteuid() == 0) {
      const auto path = store->mount_container(background(), created.id);
      CHECK(std::filesystem::exists(path / "etc/motd"));
    }
    store->delete_container(background(), created.id);
    CHECK(store->delete_image(background(), image.id).size() == 2);
    CHECK_FALSE(directory.has("images" + files + image.layer));
    CHECK_FALSE(directory.has("root/" + driver + "-layers/" + image.layer + ".tar-split.gz"));
  }
}

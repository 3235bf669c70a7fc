#include <doctest/doctest.h>

#include "archive/tar_reader.hpp"
#include "fixture.hpp"
#include "os/mount.hpp"
#include "support/errors.hpp"
#include "support/privileges.hpp"

using namespace lade;
using namespace lade::store;
using lade::test::Files;

namespace {

const Files base{{"etc/", ""}, {"etc/motd", "hello"}};

NewContainer container_on(const ImageRecord& image, const std::string& name, bool is_volatile = false) {
  NewContainer container;
  container.names = {name};
  container.image = image.id;
  container.metadata = "{\"name\":\"" + name + "\"}";
  container.is_volatile = is_volatile;
  return container;
}

}  // namespace

TEST_CASE("containers: one has a layer of its own on the image's, and directories") {
  const test::Place place("vfs");
  const auto store = place.open();
  const auto image = test::put(*store, "app", {base});
  const auto created = store->create_container(background(), container_on(image, "c1"));
  const auto found = place.open()->find_container(background(), "c1");
  REQUIRE(found.has_value());
  CHECK(found->id == created.id);
  CHECK(found->image == image.id);
  CHECK(found->metadata == "{\"name\":\"c1\"}");
  CHECK(store->find_layer(background(), found->layer)->parent == image.layer);
  CHECK_FALSE(store->find_layer(background(), found->layer)->diff_digest.has_value());
  CHECK(std::filesystem::is_directory(store->container_directory(created.id)));
  CHECK(std::filesystem::is_directory(store->container_run_directory(created.id)));
  CHECK(test::kind_of([&] { store->create_container(background(), container_on(image, "c1")); }) ==
        Kind::already_exists);
}

TEST_CASE("containers: volatile ones have records of their own, for the layer too") {
  const test::Place place("vfs");
  const auto store = place.open();
  const auto image = test::put(*store, "app", {base});
  const auto container = store->create_container(background(), container_on(image, "c1", true));
  CHECK(container.is_volatile());
  CHECK(place.directory.read("root/vfs-containers/volatile-containers.json").find(container.id) !=
        std::string::npos);
  CHECK(place.directory.read("root/vfs-layers/volatile-layers.json").find(container.layer) !=
        std::string::npos);
  CHECK(place.records("layers").find(container.layer) == std::string::npos);
}

TEST_CASE("containers: with a transient store they live in the run root") {
  test::Place place("vfs");
  place.options.transient_store = true;
  const auto store = place.open();
  const auto image = test::put(*store, "app", {base});
  const auto container = store->create_container(background(), container_on(image, "c1"));
  CHECK(place.directory.read("run/vfs-containers/volatile-containers.json").find(container.id) !=
        std::string::npos);
  CHECK(place.directory.read("run/vfs-layers/volatile-layers.json").find(container.layer) !=
        std::string::npos);
}

TEST_CASE("containers: an image in use is not deleted, nor its layers with another image") {
  const test::Place place("vfs");
  const auto store = place.open();
  const auto image = test::put(*store, "app", {base, {{"x", ""}}});
  const auto container = store->create_container(background(), container_on(image, "c1"));
  CHECK(test::message_of([&] { store->delete_image(background(), image.id); }) ==
        "image is in use by a container: " + container.id);
  CHECK(test::kind_of([&] { store->delete_layer(background(), image.layer); }) == Kind::invalid_input);
  store->delete_container(background(), container.id);
  CHECK_FALSE(store->find_layer(background(), container.layer).has_value());
  CHECK_FALSE(std::filesystem::exists(store->container_directory(container.id).parent_path()));
  CHECK(store->delete_image(background(), image.id).size() == 2);
  CHECK(test::kind_of([&] { store->delete_container(background(), container.id); }) == Kind::not_found);
}

TEST_CASE("containers: big data, metadata and names are kept") {
  const test::Place place("vfs");
  const auto store = place.open();
  const auto image = test::put(*store, "app", {base});
  const auto container = store->create_container(background(), container_on(image, "c1"));
  store->set_container_big_data(background(), container.id, {"buildah.json", "{}", std::nullopt});
  store->set_container_metadata(background(), container.id, "m");
  store->set_container_names(background(), container.id, {"c2"});
  CHECK(store->container_big_data(background(), "c2", "buildah.json") == "{}");
  CHECK(store->find_container(background(), "c2")->metadata == "m");
  CHECK(test::kind_of([&] { store->container_big_data(background(), "c2", "x"); }) == Kind::not_found);
}

TEST_CASE("containers: the layer of one is read as its files are now" *
          doctest::skip(!test::is_privileged())) {
  for (const std::string driver : {"vfs", "overlay"}) {
    if (driver == "overlay" && ::geteuid() != 0) continue;
    const test::Place place(driver);
    const auto store = place.open();
    const auto image = test::put(*store, "app", {base});
    const auto container = store->create_container(background(), container_on(image, "c1"));
    const auto path = store->mount_container(background(), "c1");
    os::write_file(path / "new", "x");
    std::filesystem::remove(path / "etc/motd");
    store->unmount_container(background(), "c1");
    CHECK_FALSE(store->has_tar_split(container.layer));
    const Context context = background();
    const auto reader = store->open_diff(context, container.layer);
    archive::TarReader tar(*reader);
    std::vector<std::string> names;
    while (const auto* entry = tar.next()) names.push_back(entry->header.name);
    CHECK(names == std::vector<std::string>{"etc/", "etc/.wh.motd", "new"});
  }
}

TEST_CASE("mounts: they are counted, and gone with the last unmount" *
          doctest::skip(!test::is_privileged())) {
  if (::geteuid() != 0) return;
  const test::Place place;
  const auto store = place.open();
  const auto image = test::put(*store, "app", {base, {{"etc/", ""}, {"etc/.wh.motd", ""}, {"b", "2"}}});
  const auto container = store->create_container(background(), container_on(image, "c1", true));
  const auto path = store->mount_container(background(), "c1");
  CHECK(os::is_mount_point(path));
  CHECK(os::read_file(path / "b", 10) == "2");
  CHECK_FALSE(std::filesystem::exists(path / "etc/motd"));
  os::write_file(path / "new", "x");
  CHECK(store->mount_container(background(), "c1") == path);
  CHECK(store->mount_state(background(), container.layer).count == 2);
  CHECK_FALSE(store->unmount_container(background(), "c1"));
  CHECK(store->unmount_container(background(), "c1"));
  CHECK_FALSE(os::is_mount_point(path));
  CHECK(place.directory.read("run/overlay-layers/mountpoints.json") == "[]");
  CHECK(place.directory.read("root/overlay/" + container.layer + "/diff/new") == "x");
  CHECK(test::kind_of([&] { store->unmount_container(background(), "c1"); }) == Kind::invalid_input);
  // A volatile mount can be repeated.
  store->mount_container(background(), "c1");
  store->delete_container(background(), container.id);
  CHECK_FALSE(os::is_mount_point(path));
  CHECK(place.directory.read("run/overlay-layers/mountpoints.json") == "[]");
}

TEST_CASE("mounts: an image's layer is mounted read-only, a base layer too" *
          doctest::skip(!test::is_privileged())) {
  if (::geteuid() != 0) return;
  const test::Place place;
  const auto store = place.open();
  const auto image = test::put(*store, "app", {base});
  const auto path = store->mount_layer(background(), image.layer);
  CHECK(os::read_file(path / "etc/motd", 10) == "hello");
  CHECK_THROWS_AS(os::write_file(path / "new", "x"), Error);
  CHECK(store->unmount_layer(background(), image.layer));
}

TEST_CASE("mounts: more layers than fit into a page of options" * doctest::skip(!test::is_privileged())) {
  if (::geteuid() != 0) return;
  const test::Place place;
  const auto store = place.open();
  std::vector<Files> layers;
  for (int i = 0; i < 120; ++i) layers.push_back({{"f" + std::to_string(i), "x"}});
  const auto image = test::put(*store, "app", layers);
  const auto path = store->mount_layer(background(), image.layer);
  CHECK(std::filesystem::exists(path / "f0"));
  CHECK(std::filesystem::exists(path / "f119"));
  store->unmount_layer(background(), image.layer);
}

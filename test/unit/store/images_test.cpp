#include <doctest/doctest.h>

#include <thread>

#include "fixture.hpp"
#include "support/errors.hpp"

using namespace lade;
using namespace lade::store;
using lade::test::Files;

namespace {

const Files images_base{{"etc/", ""}, {"etc/motd", "hello"}};
const Files upper{{"etc/", ""}, {"etc/issue", "lade"}, {"etc/.wh.motd", ""}};

template <class Fn>
void for_both_drivers(Fn&& fn) {
  for (const std::string driver : {"overlay", "vfs"}) {
    INFO(driver);
    // Whiteouts of overlay are devices, which only root may make.
    if (driver == "overlay" && ::geteuid() != 0) continue;
    fn(test::Place(driver));
  }
}

std::vector<std::string> ids(const std::vector<LayerRecord>& layers) {
  std::vector<std::string> result;
  for (const auto& layer : layers) result.push_back(layer.id);
  return result;
}

}  // namespace

TEST_CASE("store: an image that was put is there for the next who opens the store") {
  for_both_drivers([](const test::Place& place) {
    const auto put = test::put(*place.open(), "app", {images_base, upper});
    const auto store = place.open();
    const auto image = store->find_image(background(), "example.com/app:latest");
    REQUIRE(image.has_value());
    CHECK(image->id == put.id);
    CHECK(store->find_image(background(), put.id.substr(0, 5))->id == put.id);
    CHECK(store->image_big_data(background(), put.id, "manifest") == "manifest of app");
    const auto chain = store->chain(background(), image->layer);
    REQUIRE(chain.size() == 2);
    CHECK(chain[0].parent == "");
    CHECK(chain[0].id == chain[0].diff_digest->hex());
    CHECK(test::diff_of(*store, chain[0].id) == test::make_tar(images_base));
    CHECK(test::diff_of(*store, chain[1].id) == test::make_tar(upper));
    CHECK(chain[1].diff_size == static_cast<std::int64_t>(test::make_tar(upper).size()));
    CHECK(chain[1].uids == std::vector<std::uint32_t>{0});
  });
}

TEST_CASE("store: overlay layers have links, lower chains and the directories that other tools expect") {
  const test::Place place;
  const auto store = place.open();
  const auto image = test::put(*store, "app", {{{"a", "1"}}, {{"b", "2"}}, {{"c", "3"}}});
  const auto chain = ids(store->chain(background(), image.layer));
  const auto& directory = place.directory;
  const auto link = [&](std::size_t i) { return directory.read("root/overlay/" + chain[i] + "/link"); };
  CHECK(directory.has("root/overlay/" + chain[0] + "/empty"));
  CHECK_FALSE(directory.has("root/overlay/" + chain[0] + "/lower"));
  CHECK(directory.read("root/overlay/" + chain[2] + "/lower") == "l/" + link(1) + ":l/" + link(0));
  CHECK(directory.read("root/overlay/" + chain[2] + "/lower-layers") == chain[1] + ":" + chain[0]);
  CHECK(std::filesystem::read_symlink(directory / ("root/overlay/l/" + link(2))) ==
        "../" + chain[2] + "/diff");
  CHECK(directory.read("root/overlay/l/" + link(2) + "/c") == "3");
  for (const std::string name : {"work", "merged", "diff"})
    CHECK(directory.has("root/overlay/" + chain[1] + "/" + name));
  struct ::stat status {};
  REQUIRE(::stat((directory / ("root/overlay/" + chain[1] + "/diff")).c_str(), &status) == 0);
  CHECK((status.st_mode & 07777) == 0555);
  CHECK(std::filesystem::is_empty(directory / "root/overlay/tempdirs"));
  CHECK(std::filesystem::is_empty(directory / "root/overlay-layers/tmp"));
}

TEST_CASE("store: vfs layers hold the files of their parents, but what they removed") {
  const test::Place place("vfs");
  const auto store = place.open();
  const auto image = test::put(*store, "app", {images_base, upper});
  const std::string top = "root/vfs/dir/" + image.layer;
  CHECK(place.directory.read(top + "/etc/issue") == "lade");
  CHECK_FALSE(place.directory.has(top + "/etc/motd"));
  CHECK_FALSE(place.directory.has(top + "/etc/.wh.motd"));
}

TEST_CASE("store: layers that two images have in common are stored once") {
  for_both_drivers([](const test::Place& place) {
    const auto store = place.open();
    const auto one = test::put(*store, "one", {images_base, upper});
    const auto two = test::put(*store, "two", {images_base, {{"x", ""}}});
    CHECK(store->layers(background()).size() == 3);
    CHECK(store->chain(background(), one.layer)[0].id == store->chain(background(), two.layer)[0].id);
  });
}

TEST_CASE("store: a layer can be reused by its digest, on another parent too") {
  for_both_drivers([](const test::Place& place) {
    const auto store = place.open();
    const auto one = test::put(*store, "one", {images_base, {{"x", "1"}}});
    const auto chain = store->chain(background(), one.layer);
    auto image = test::image_of("two", {{*chain[1].diff_digest, nullptr, std::nullopt},
                                        {*chain[0].diff_digest, nullptr, std::nullopt}});
    const auto two = store->put_image(background(), image);
    const auto turned = store->chain(background(), two.layer);
    CHECK(turned[1].diff_digest == chain[0].diff_digest);
    CHECK(test::diff_of(*store, turned[0].id) == test::make_tar({{"x", "1"}}));
    CHECK(test::diff_of(*store, turned[1].id) == test::make_tar(images_base));
  });
}

TEST_CASE("store: an image may have one layer twice") {
  for_both_drivers([](const test::Place& place) {
    const auto store = place.open();
    const auto layer = test::layer_of(*store, images_base);
    const auto image = store->put_image(background(), test::image_of("twice", {layer, layer}));
    const auto chain = store->chain(background(), image.layer);
    REQUIRE(chain.size() == 2);
    CHECK(test::diff_of(*store, chain[1].id) == test::make_tar(images_base));
  });
}

TEST_CASE("store: a layer that is not there cannot be reused") {
  const test::Place place("vfs");
  const auto store = place.open();
  const auto image = test::image_of("app", {{io::digest_of("x"), nullptr, std::nullopt}});
  CHECK(test::kind_of([&] { store->put_image(background(), image); }) == Kind::unavailable);
  CHECK(store->images(background()).empty());
}

TEST_CASE("store: what was unpacked and not used leaves nothing behind") {
  for_both_drivers([](const test::Place& place) {
    const auto store = place.open();
    const auto before = place.directory.snapshot();
    test::layer_of(*store, images_base);
    const auto broken = io::make_text_reader("this is no tar" + std::string(2000, 'x'));
    if (place.options.driver == "overlay") CHECK_THROWS_AS(store->unpack(background(), *broken), Error);
    auto after = place.directory.snapshot();
    std::erase_if(after, [](const auto& file) {
      return file.first.ends_with("tmp") || file.first.ends_with("tempdirs");
    });
    CHECK(after == before);
  });
}

TEST_CASE("store: a name moves to the image that was put last, and is remembered") {
  const test::Place place("vfs");
  const auto store = place.open();
  const auto one = test::put(*store, "app", {images_base});
  auto image = test::image_of("other", {test::layer_of(*store, upper)});
  image.names = {"example.com/app:latest"};
  const auto two = store->put_image(background(), image);
  CHECK(store->find_image(background(), "example.com/app:latest")->id == two.id);
  CHECK(store->find_image(background(), one.id)->names.empty());
  CHECK(store->find_image(background(), one.id)->names_history ==
        std::vector<std::string>{"example.com/app:latest"});
}

TEST_CASE("store: putting an image again adds its name; on other layers it is refused") {
  const test::Place place("vfs");
  const auto store = place.open();
  const auto first = test::put(*store, "app", {images_base});
  auto image = test::image_of("app", {test::layer_of(*store, images_base)});
  image.names = {"example.com/app:v2"};
  const auto again = store->put_image(background(), image);
  CHECK(again.names == std::vector<std::string>{"example.com/app:v2", "example.com/app:latest"});
  CHECK(again.created == first.created);
  image.layers = {test::layer_of(*store, upper)};
  CHECK(test::kind_of([&] { store->put_image(background(), image); }) == Kind::already_exists);
}

TEST_CASE("store: names that would make the store unreadable for other tools are refused") {
  const test::Place place("vfs");
  const auto store = place.open();
  const auto image = test::put(*store, "app", {images_base});
  for (const std::string name : {"", "app", "example.com/app", "example.com/APP:1", "busybox:latest"})
    CHECK(test::kind_of([&] { store->add_names(background(), image.id, {name}); }) == Kind::invalid_input);
  auto other = test::image_of("other", {});
  other.id = "short";
  CHECK(test::kind_of([&] { store->put_image(background(), other); }) == Kind::invalid_input);
}

TEST_CASE("store: images are tagged and untagged") {
  const test::Place place("vfs");
  const auto store = place.open();
  const auto image = test::put(*store, "app", {images_base});
  store->add_names(background(), image.id, {"example.com/b:1"});
  CHECK(store->find_image(background(), "example.com/b:1")->id == image.id);
  store->remove_names(background(), image.id, {"example.com/b:1", "example.com/app:latest"});
  CHECK(store->find_image(background(), image.id)->names.empty());
  CHECK(test::kind_of([&] { store->add_names(background(), test::hex_of("x"), {"example.com/b:1"}); }) ==
        Kind::image_not_found);
}

TEST_CASE("store: a deleted image takes along the layers that nobody else needs") {
  for_both_drivers([](const test::Place& place) {
    const auto store = place.open();
    const auto one = test::put(*store, "one", {images_base, upper, {{"one", ""}}});
    const auto two = test::put(*store, "two", {images_base, {{"two", ""}}});
    const auto chain = ids(store->chain(background(), one.layer));
    CHECK(store->delete_image(background(), one.id) == std::vector{chain[2], chain[1]});
    CHECK_FALSE(store->find_image(background(), one.id).has_value());
    CHECK(store->chain(background(), two.layer).size() == 2);
    CHECK(test::diff_of(*store, chain[0]) == test::make_tar(images_base));
    store->delete_image(background(), two.id);
    CHECK(store->layers(background()).empty());
    for (const auto& [name, content] : place.directory.snapshot())
      for (const auto& id : chain) CHECK(name.find(id) == std::string::npos);
    CHECK(place.records("images") == "[]");
    CHECK(test::kind_of([&] { store->delete_image(background(), one.id); }) == Kind::image_not_found);
  });
}

TEST_CASE("store: an image without layers is an image") {
  const test::Place place("vfs");
  const auto store = place.open();
  const auto image = store->put_image(background(), test::image_of("list", {}));
  CHECK(image.layer == "");
  CHECK(store->chain(background(), image.layer).empty());
  CHECK(store->delete_image(background(), image.id).empty());
}

TEST_CASE("store: many images are put at once and none is lost") {
  for_both_drivers([](const test::Place& place) {
    const auto work = [&](int thread) {
      const auto store = place.open();
      for (int i = 0; i < 3; ++i) {
        const std::string name = "t" + std::to_string(thread) + "-" + std::to_string(i);
        test::put(*store, name, {images_base, {{name, ""}}});
      }
    };
    std::vector<std::jthread> threads;
    for (int thread = 0; thread < 4; ++thread) threads.emplace_back(work, thread);
    threads.clear();
    const auto store = place.open();
    CHECK(store->images(background()).size() == 12);
    CHECK(store->layers(background()).size() == 13);
    for (const auto& image : store->images(background()))
      CHECK(store->chain(background(), image.layer).size() == 2);
  });
}

TEST_CASE("store: layers are found by the digest of the blob that they came in as") {
  const test::Place place("vfs");
  const auto store = place.open();
  auto layer = test::layer_of(*store, images_base);
  const auto blob = io::digest_of("compressed");
  layer.blob = ImageLayer::Blob{blob, 10, io::Compression::gzip};
  const auto diff_id = layer.diff_id;
  const auto image = store->put_image(background(), test::image_of("app", {std::move(layer)}));
  REQUIRE(store->layers_with_digest(background(), blob).size() == 1);
  const auto record = store->layers_with_digest(background(), diff_id).at(0);
  CHECK(record.compressed_size == 10);
  CHECK(compression_of(record) == io::Compression::gzip);
  CHECK(store->images_with_digest(background(), io::digest_of("manifest of app")).at(0).id == image.id);
}

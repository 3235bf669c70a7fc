#include "store/record_store.hpp"

#include <doctest/doctest.h>

#include <thread>

#include "os/file.hpp"
#include "support/errors.hpp"
#include "support/temp_dir.hpp"

using namespace lade;
using namespace lade::store;

namespace {

struct Records {
  test::Directory directory;
  Layout layout{directory / "root", directory / "run", directory / "root", "overlay", false};

  Records() {
    for (const auto& path : {layout.layers(), layout.images(), layout.containers()}) os::mkdir_all(path);
  }
  RecordStore store() const { return {layout, RecordStore::Access::read_write}; }
};

LayerRecord named(const std::string& id) {
  LayerRecord layer;
  layer.id = id;
  return layer;
}

}  // namespace

TEST_CASE("record store: what one writes another reads, with a new last writer before it") {
  const Records records;
  const auto ours = records.store(), theirs = records.store();
  CHECK(theirs.layers(background())->entries().empty());
  {
    auto writing = ours.write_layers(background());
    writing->add(named("a"), Place::stable);
    writing.save();
  }
  CHECK(records.directory.read("root/overlay-layers/layers.lock").size() == 64);
  CHECK(theirs.layers(background())->find("a") != nullptr);
  CHECK(theirs.layers(background()).get() == theirs.layers(background()).get());
}

TEST_CASE("record store: a change by somebody who does not touch the lock file is seen") {
  const Records records;
  const auto store = records.store();
  CHECK(store.images(background())->entries().empty());
  records.directory.write("root/overlay-images/images.json", R"([{"id":"i"}])");
  CHECK(store.images(background())->find("i") != nullptr);
}

TEST_CASE("record store: nothing is written when nothing changed") {
  const Records records;
  auto writing = records.store().write_layers(background());
  writing.save();
  CHECK_FALSE(records.directory.has("root/overlay-layers/layers.json"));
  CHECK(records.directory.read("root/overlay-layers/layers.lock").empty());
}

TEST_CASE("record store: malformed records are never overwritten") {
  const Records records;
  records.directory.write("root/overlay-layers/layers.json", "[{");
  CHECK(test::kind_of([&] { auto writing = records.store().write_layers(background()); }) ==
        Kind::invalid_input);
  CHECK(records.directory.read("root/overlay-layers/layers.json") == "[{");
}

TEST_CASE("record store: a name that two images claim belongs to the later one") {
  const Records records;
  records.directory.write("root/overlay-images/images.json",
                          R"([{"id":"a","names":["n","m"]},{"id":"b","names":["n"]}])");
  const auto images = records.store().images(background());
  CHECK(images->look_up("n")->id == "b");
  CHECK(images->find("a")->names == std::vector<std::string>{"m"});
}

TEST_CASE("record store: many writers lose nothing") {
  const Records records;
  const auto work = [&](const std::string& name) {
    const auto store = records.store();
    for (int i = 0; i < 10; ++i) {
      auto writing = store.write_layers(background());
      writing->add(named(name + std::to_string(i)), Place::stable);
      writing.save(false);
    }
  };
  std::vector<std::jthread> threads;
  for (const std::string name : {"a", "b", "c", "d"}) threads.emplace_back(work, name);
  threads.clear();
  CHECK(records.store().layers(background())->entries().size() == 40);
}

TEST_CASE("record store: of a read-only one nothing can be written and no lock file is needed") {
  const Records records;
  const RecordStore store(records.layout, RecordStore::Access::read_only);
  CHECK(store.images(background())->entries().empty());
  CHECK_FALSE(records.directory.has("root/overlay-images/images.lock"));
  CHECK(test::kind_of([&] { auto writing = store.write_images(background()); }) == Kind::unsupported);
}

TEST_CASE("record store: image stores and volatile records have files of their own") {
  Records records;
  records.layout.image_root = records.directory / "images";
  os::mkdir_all(records.layout.image_store_layers());
  auto writing = records.store().write_layers(background());
  writing->add(named("stable"), Place::stable);
  writing->add(named("image"), Place::image_store);
  writing->add(named("volatile"), Place::volatile_file);
  writing.save();
  CHECK(records.directory.read("root/overlay-layers/layers.json") == R"([{"id":"stable"}])");
  CHECK(records.directory.read("images/overlay-layers/layers.json") == R"([{"id":"image"}])");
  CHECK(records.directory.read("root/overlay-layers/volatile-layers.json") == R"([{"id":"volatile"}])");
}

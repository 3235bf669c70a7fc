#include <doctest/doctest.h>

#include "../store/fixture.hpp"
#include "engine/image_filters.hpp"
#include "engine/remove_images.hpp"
#include "support/errors.hpp"

using namespace lade;
using namespace lade::engine;

namespace {

const config::RegistriesConf no_rules;

// Two images of one name each, and one name more for the first.
struct Stored {
  Stored() : place("vfs"), store(place.open()) {
    for (const char* name : {"one", "two"})
      store->put_image(background(), test::image_of(name, {test::layer_of(*store, {{"file", name}})}));
    store->add_names(background(), id("one"), {"localhost/other:1"});
  }
  std::string id(const std::string& name) const {
    return store->find_image(background(), "example.com/" + name + ":latest")->id;
  }
  LocalImages images() const { return {background(), store, no_rules}; }

  test::Place place;
  std::shared_ptr<store::Store> store;
};

std::size_t count(const LocalImages& images, const std::vector<std::string>& filters) {
  const auto filter = compile_image_filters(images, filters);
  return static_cast<std::size_t>(std::count_if(images.all().begin(), images.all().end(), filter));
}

}  // namespace

TEST_CASE("an image is found by names, endings of names and beginnings of its ID") {
  const Stored stored;
  const auto images = stored.images();
  const std::string id = stored.id("one");
  for (const std::string& name : {std::string("example.com/one"), std::string("other:1"),
                                  std::string("one:latest"), id, "sha256:" + id, id.substr(0, 12)}) {
    INFO(name);
    REQUIRE(images.find(name));
    CHECK(images.find(name)->image->id == id);
  }
  CHECK(images.get("other:1").name == "localhost/other:1");
  CHECK(images.get(id).name.empty());
  CHECK_FALSE(images.find("nosuch"));
  CHECK_THROWS_WITH_AS(images.get("nosuch"), "nosuch: image not known", Error);
  CHECK_THROWS_WITH_AS(images.find("docker://one"),
                       "unsupported transport \"docker\" for looking up local images", Error);
}

TEST_CASE("an image must pass all filters, of those for names one") {
  const Stored stored;
  const auto images = stored.images();
  CHECK(count(images, {}) == 2);
  CHECK(count(images, {"reference=*/one"}) == 1);
  CHECK(count(images, {"reference=*/one", "reference=*/two"}) == 2);
  CHECK(count(images, {"reference!=*/one"}) == 1);
  CHECK(count(images, {"reference=*/one", "id=" + stored.id("two")}) == 0);
  CHECK(count(images, {"dangling=true"}) == 0);
  CHECK(count(images, {"containers=false"}) == 2);
  CHECK(count(images, {"id=" + stored.id("one"), "id=" + stored.id("two")}) == 0);
  CHECK(count(images, {"containers=external"}) == 2);
  CHECK_THROWS_WITH_AS(
      count(images, {"x=1"}),
      "invalid image filter \"x\": must be in the format \"filter=value or filter!=value\"", Error);
  CHECK_THROWS_WITH_AS(count(images, {"digest=abc"}), "invalid value \"abc\" for digest filter", Error);
  CHECK_THROWS_AS(count(images, {"dangling=maybe"}), Error);
  CHECK_THROWS_AS(count(images, {"dangling=true", "dangling=false"}), Error);
}

TEST_CASE("a filter by a full name is a question for that name only") {
  const Stored stored;
  const auto images = stored.images();
  const auto& one = *images.by_id(stored.id("one"));
  CHECK(names_asked_for(one, {"reference=localhost/other:1"}) == std::vector<std::string>{"localhost/other:1"});
  CHECK(names_asked_for(one, {"reference=*/one"}) == one.names);
  CHECK(names_asked_for(one, {"reference=localhost/other:1", "reference=x"}) == one.names);
  CHECK(names_asked_for(one, {"reference!=localhost/other:1"}) == one.names);
}

TEST_CASE("of several names one goes, with the last the image") {
  const Stored stored;
  const std::string id = stored.id("one");
  auto report = remove_images(background(), stored.store, no_rules, {id}, {});
  REQUIRE(report.errors.size() == 1);
  CHECK(std::string(report.errors[0].what()).find("with more than one tag") != std::string::npos);
  report = remove_images(background(), stored.store, no_rules, {"other:1"}, {});
  CHECK(report.untagged == std::vector<std::string>{"localhost/other:1"});
  CHECK(report.deleted.empty());
  report = remove_images(background(), stored.store, no_rules, {"example.com/one"}, {});
  CHECK(report.deleted == std::vector<std::string>{id});
  report = remove_images(background(), stored.store, no_rules, {"example.com/one"}, {});
  CHECK(report.all_unknown);
  CHECK(remove_images(background(), stored.store, no_rules, {"example.com/one"}, {.ignore = true})
            .errors.empty());
}

TEST_CASE("an image that a container uses stays, and force removes buildah's containers only") {
  const Stored stored;
  const std::string id = stored.id("two");
  store::NewContainer wanted;
  wanted.names = {"work"};
  wanted.image = id;
  const auto container = stored.store->create_container(background(), wanted);
  CHECK(remove_images(background(), stored.store, no_rules, {id}, {}).in_use);
  CHECK(remove_images(background(), stored.store, no_rules, {id}, {.force = true}).in_use);
  const auto directory = stored.store->container_directory(container.id);
  os::mkdir_all(directory);
  os::write_file(directory / "buildah.json", "{}");
  CHECK(remove_images(background(), stored.store, no_rules, {id}, {.force = true}).deleted ==
        std::vector<std::string>{id});
  CHECK(stored.store->containers(background()).empty());
}

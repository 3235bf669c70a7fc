#include "engine/stored_list.hpp"

#include <doctest/doctest.h>

#include "../store/fixture.hpp"
#include "engine/list_artifact.hpp"
#include "support/errors.hpp"

using namespace lade;
using namespace lade::engine;

namespace {

const config::RegistriesConf list_rules;

struct ListPlace {
  ListPlace() : place("vfs"), store(place.open()) {}
  LocalImages images() const { return {background(), store, list_rules}; }
  std::string item(const std::string& id, const std::string& key) const {
    return store->image_big_data(background(), id, key);
  }

  test::Place place;
  std::shared_ptr<store::Store> store;
};

}  // namespace

TEST_CASE("stored list: it is an image without layers, with the items that podman and buildah look for") {
  const ListPlace here;
  auto stored = create_list(here.images(), "localhost/list:latest");
  CHECK(here.item(stored.id, "instances.json") == "{}");
  CHECK(here.item(stored.id, "artifacts.json") == "{}");
  stored.instances["sha256:" + std::string(64, 'a')] = "docker://example.com/x:1";
  stored.save(background(), *here.store);
  CHECK(here.item(stored.id, "instances.json") ==
        "{\"\":\"" + stored.id + "\",\"sha256:" + std::string(64, 'a') + "\":\"docker://example.com/x:1\"}");
  const auto again = StoredList::load(here.images(), "list");
  CHECK(again.id == stored.id);
  CHECK(again.instances == stored.instances);
}

TEST_CASE("stored list: a name is given once, and an image is no list") {
  const ListPlace here;
  const auto stored = create_list(here.images(), "localhost/list:latest");
  CHECK(test::message_of([&] { create_list(here.images(), "localhost/list:latest"); }) ==
        "image name \"localhost/list:latest\" is already associated with image \"" + stored.id +
            "\": that name is already in use");
  test::put(*here.store, "app", {});
  CHECK(test::message_of([&] { StoredList::load(here.images(), "example.com/app"); }) ==
        "example.com/app:latest: image is not a manifest list");
  CHECK(test::kind_of([&] { StoredList::load(here.images(), "nosuch"); }) == Kind::image_not_found);
}

TEST_CASE("stored list: artifacts survive being written and read") {
  ListArtifacts artifacts;
  artifacts.manifests["sha256:m"] = "{}";
  artifacts.files["sha256:m"] = {"/a", "/b"};
  artifacts.blobs["sha256:c"] = std::string("\0\xff", 2);
  const auto again = ListArtifacts::parse(artifacts.serialize());
  CHECK(again.manifests == artifacts.manifests);
  CHECK(again.files == artifacts.files);
  CHECK(again.blobs == artifacts.blobs);
  CHECK_THROWS_AS(ListArtifacts::parse("{\"blobs\":{\"x\":\"?\"}}"), Error);
}

TEST_CASE("artifact: files become layers with titles and types") {
  const ListPlace here;
  here.place.directory.write("note.txt", "hello");
  StoredList stored;
  const auto digest = add_artifact(stored, {.files = {(here.place.directory / "note.txt").string()},
                                            .type = "text/x-note",
                                            .layer_type = "",
                                            .config_type = "",
                                            .config_file = "",
                                            .config_inline = false,
                                            .exclude_titles = false,
                                            .annotations = {{"a", "b"}},
                                            .subject = std::nullopt});
  const std::string& manifest = stored.artifacts.manifests.at(digest.str());
  CHECK(manifest.find("\"artifactType\":\"text/x-note\"") != std::string::npos);
  CHECK(manifest.find("\"mediaType\":\"text/plain\"") != std::string::npos);
  CHECK(manifest.find("\"org.opencontainers.image.title\":\"note.txt\"") != std::string::npos);
  CHECK(manifest.find("\"annotations\":{\"a\":\"b\"}}") != std::string::npos);
  CHECK(stored.artifacts.detached.at(io::digest_of("hello").str()) ==
        (here.place.directory / "note.txt").string());
  CHECK(stored.list.entries().at(0).descriptor.artifact_type == "text/x-note");
}

TEST_CASE("artifact: types are guessed by name, then by content") {
  CHECK(guess_media_type("a.json", "x") == "application/json");
  CHECK(guess_media_type("a.nosuch", "%PDF-1.4") == "application/pdf");
  CHECK(guess_media_type("a", "plain words") == "text/plain");
  CHECK(guess_media_type("a", std::string_view("\0\1", 2)) == "application/octet-stream");
}

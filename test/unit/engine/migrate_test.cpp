#include "engine/migrate.hpp"

#include <doctest/doctest.h>

#include <algorithm>

#include "../store/fixture.hpp"
#include "store/check.hpp"
#include "support/errors.hpp"

using namespace lade;
using namespace lade::engine;

namespace {

using What = MigrationEvent::What;

const test::Files migrated_base{{"etc/", ""}, {"etc/motd", "hello"}};

struct Migrated {
  explicit Migrated(const std::string& from_driver = "overlay", const std::string& to_driver = "vfs")
      : from(from_driver), to(to_driver), source(from.open()) {}

  store::ImageRecord put(const std::string& name, const test::Files& files) {
    auto layers = std::vector{test::layer_of(*source, migrated_base), test::layer_of(*source, files)};
    return source->put_image(background(), test::real_image_of(name, std::move(layers)));
  }

  static MigrationPlace place_of(const test::Place& place) {
    MigrationPlace result;
    result.text = place.options.graph_root.string();
    result.options.store = place.options;
    return result;
  }
  MigrationPlace layout() const {
    MigrationPlace result;
    result.kind = MigrationPlace::Kind::layout;
    result.directory = (to.directory / "layout").string();
    result.text = "oci:" + result.directory;
    return result;
  }

  MigrationSummary run(const MigrationPlace& source_place, const MigrationPlace& destination_place,
                       const MigrateOptions& options = {}) {
    events.clear();
    return migrate(background(), trust::PolicyContext({{config::InsecureAcceptAnything{}}, {}}), source_place,
                   destination_place, options, [&](const MigrationEvent& event) { events.push_back(event); });
  }
  MigrationSummary run(const MigrateOptions& options = {}) {
    return run(place_of(from), place_of(to), options);
  }

  const MigrationEvent* event(What what) const {
    const auto found = std::ranges::find(events, what, &MigrationEvent::what);
    return found == events.end() ? nullptr : &*found;
  }
  std::shared_ptr<store::Store> destination() const { return to.open(); }

  test::Place from, to;
  std::shared_ptr<store::Store> source;
  std::vector<MigrationEvent> events;
};

}  // namespace

TEST_CASE(
    "migrate: an image arrives with its layers, names, documents and signatures, whatever the drivers") {
  const std::pair<const char*, const char*> drivers[] = {
      {"overlay", "vfs"}, {"vfs", "overlay"}, {"vfs", "vfs"}};
  for (const auto& [one, other] : drivers) {
    Migrated migrated(one, other);
    const auto image = migrated.put("app", {{"file", "1"}});
    migrated.source->add_names(background(), image.id, {"example.com/second:2"});
    migrated.source->set_image_big_data(background(), image.id, {"signatures", "signed", std::nullopt});
    migrated.source->set_image_metadata(background(), image.id, R"({"signature-sizes":[6]})");
    const auto before = migrated.source->find_image(background(), image.id);

    CHECK(migrated.run().copied == 1);
    const auto store = migrated.destination();
    const auto after = store->find_image(background(), image.id);
    REQUIRE(after.has_value());
    CHECK(after->names == before->names);
    CHECK(after->digest == before->digest);
    CHECK(after->metadata == before->metadata);
    CHECK(after->created == before->created);
    CHECK(after->big_data == before->big_data);
    CHECK(store->image_big_data(background(), image.id, "signatures") == "signed");
    const auto chain = store->chain(background(), after->layer);
    REQUIRE(chain.size() == 2);
    CHECK(test::diff_of(*store, chain[0].id) == test::make_tar(migrated_base));
    CHECK(store::check_store(background(), migrated.to.options, {}).empty());
  }
}

TEST_CASE("migrate: a layer that images share is copied once, however many are under way") {
  Migrated migrated("vfs", "overlay");
  for (int i = 0; i < 8; ++i) {
    const std::string number = std::to_string(i);
    migrated.put("app" + number, {{"file", number}});
  }
  MigrateOptions options;
  options.jobs = 4;
  CHECK(migrated.run(options).copied == 8);
  CHECK(migrated.destination()->layers(background()).size() == 9);
  CHECK(migrated.destination()->images(background()).size() == 8);
  CHECK(store::check_store(background(), migrated.to.options, {}).empty());
  CHECK(migrated.run(options).present == 8);
}

TEST_CASE("migrate: what the destination lacks comes, and only that") {
  Migrated migrated;
  const auto image = migrated.put("app", {{"file", "1"}});
  migrated.run();
  SUBCASE("a name") {
    migrated.destination()->remove_names(background(), image.id, image.names);
  }
  SUBCASE("a document") {
    migrated.source->set_image_big_data(background(), image.id, {"signatures", "signed", std::nullopt});
  }
  const auto summary = migrated.run();
  CHECK(summary.completed == 1);
  CHECK(summary.copied == 0);
  CHECK(migrated.run().present == 1);
  CHECK(migrated.destination()->find_image(background(), image.id)->names == image.names);
}

TEST_CASE("migrate: a dry run touches nothing") {
  Migrated migrated;
  migrated.put("app", {{"file", "1"}});
  MigrateOptions options;
  options.dry_run = true;
  options.move = true;
  CHECK(migrated.run(options).planned == 1);
  CHECK_FALSE(std::filesystem::exists(migrated.to.options.graph_root / "vfs-images"));
  CHECK(migrated.source->images(background()).size() == 1);
}

TEST_CASE("migrate: with --move, what was verified goes, and what a container uses stays") {
  Migrated migrated;
  const auto used = migrated.put("used", {{"file", "1"}});
  const auto free = migrated.put("free", {{"file", "2"}});
  store::NewContainer container;
  container.image = used.id;
  migrated.source->create_container(background(), container);
  MigrateOptions options;
  options.move = true;
  const auto summary = migrated.run(options);
  CHECK(summary.copied == 2);
  CHECK(summary.removed == 1);
  CHECK(summary.kept == 1);
  REQUIRE(migrated.event(What::kept) != nullptr);
  CHECK(migrated.event(What::kept)->subject == "image " + used.id);
  REQUIRE(migrated.event(What::left) != nullptr);
  CHECK(migrated.event(What::left)->reason == "containers are not migrated");
  CHECK_FALSE(migrated.source->find_image(background(), free.id).has_value());
  CHECK(store::check_store(background(), migrated.from.options, {}).empty());
}

TEST_CASE("migrate: an image that is damaged, or damaged at its destination, is not moved") {
  Migrated migrated("vfs", "vfs");
  const auto bad = migrated.put("bad", {{"file", "1"}});
  const auto good = migrated.put("good", {{"file", "2"}});
  MigrateOptions options;
  options.move = true;
  const test::Place* damaged = &migrated.from;
  SUBCASE("at the source") {}
  SUBCASE("at the destination") {
    migrated.run();
    damaged = &migrated.to;
  }
  damaged->directory.write("root/vfs/dir/" + bad.layer + "/file", "other");
  const auto summary = migrated.run(options);
  CHECK(summary.failed == 1);
  CHECK(summary.removed == 1);
  CHECK(migrated.event(What::failed)->subject == "image " + bad.id);
  CHECK(migrated.source->find_image(background(), bad.id).has_value());
  CHECK_FALSE(migrated.source->find_image(background(), good.id).has_value());
}

TEST_CASE("migrate: images without layers, such as lists, come too") {
  Migrated migrated;
  store::NewImage list;
  list.id = test::hex_of("list");
  list.names = {"example.com/list:1"};
  list.big_data = {{"manifest", R"({"schemaVersion":2,"manifests":[]})", std::nullopt}};
  migrated.source->put_image(background(), list);
  CHECK(migrated.run().copied == 1);
  CHECK(migrated.destination()->find_image(background(), list.id)->names == list.names);
}

TEST_CASE("migrate: a layout holds a store, and gives it back") {
  Migrated migrated;
  const auto named = migrated.put("named", {{"file", "1"}});
  const auto bare = migrated.put("bare", {{"file", "2"}});
  migrated.source->remove_names(background(), bare.id, bare.names);
  const auto layout = migrated.layout();
  CHECK(migrated.run(Migrated::place_of(migrated.from), layout).copied == 2);
  CHECK(migrated.run(Migrated::place_of(migrated.from), layout).present == 2);
  CHECK(migrated.run(layout, Migrated::place_of(migrated.to)).copied == 2);
  CHECK(migrated.run(layout, Migrated::place_of(migrated.to)).present == 2);
  const auto store = migrated.destination();
  CHECK(store->find_image(background(), named.id)->names == named.names);
  CHECK(store->find_image(background(), bare.id)->names.empty());
  CHECK(store::check_store(background(), migrated.to.options, {}).empty());
}

TEST_CASE("migrate: places have a few forms, and must differ") {
  config::Environment environment;
  environment.home = "/home/x";
  environment.variables["XDG_RUNTIME_DIR"] = "/run/x";
  environment.root = "/nonexistent";
  const auto parse = [&](const std::string& text) { return parse_migration_place(text, environment, {}); };
  CHECK(parse("[vfs@/a+/b]").options.store->graph_root == "/a");
  CHECK(parse("containers-storage:[overlay@/a+/b]").options.store->driver == "overlay");
  CHECK(parse("containers-storage:").options.store.has_value());
  CHECK(parse("oci:some/dir").directory == "some/dir");
  CHECK(parse("docker-daemon:").kind == MigrationPlace::Kind::daemon);
  for (const std::string text :
       {"", "dir:x", "oci:", "oci:dir:name", "docker-daemon:busybox:1", "[vfs@/a+/b]name", "/a"}) {
    CAPTURE(text);
    CHECK(test::kind_of([&] { parse(text); }) == Kind::invalid_input);
  }
  Migrated migrated;
  const auto place = Migrated::place_of(migrated.from);
  CHECK(test::kind_of([&] { migrated.run(place, place); }) == Kind::invalid_input);
  MigrateOptions options;
  options.move = true;
  CHECK(test::kind_of([&] { migrated.run(parse("docker-daemon:"), place, options); }) == Kind::unsupported);
}

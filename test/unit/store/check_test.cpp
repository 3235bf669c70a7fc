#include "store/check.hpp"

#include <doctest/doctest.h>

#include <algorithm>

#include "fixture.hpp"
#include "store/ids.hpp"
#include "support/errors.hpp"

using namespace lade;
using namespace lade::store;
using lade::test::Files;

namespace {

const Files checked_base{{"etc/", ""}, {"etc/motd", "hello"}};
const Files checked_top{{"etc/", ""}, {"etc/issue", "there"}};

// A store with one image of two layers.
struct Checked {
  explicit Checked(const std::string& driver = "overlay") : place(driver) {
    const auto store = place.open();
    auto layers = std::vector{test::layer_of(*store, checked_base), test::layer_of(*store, checked_top)};
    image = store->put_image(background(), test::real_image_of("app", std::move(layers)));
    top = image.layer;
    base = store->chain(background(), top).front().id;
  }

  std::vector<Finding> check(bool quick = false) const {
    return check_store(background(), place.options, {.quick = quick});
  }
  std::filesystem::path path(const std::string& name) const { return place.directory / ("root/" + name); }
  std::string read(const std::string& name) const { return place.directory.read("root/" + name); }
  void write(const std::string& name, const std::string& text) const {
    place.directory.write("root/" + name, text);
  }
  void edit(const std::string& file, const std::string& from, const std::string& to) const {
    std::string text = read(file);
    REQUIRE(text.find(from) != std::string::npos);
    text.replace(text.find(from), from.size(), to);
    write(file, text);
  }
  void add_container() const {
    NewContainer container;
    container.names = {"user"};
    container.image = image.id;
    place.open()->create_container(background(), container);
  }

  // One finding with these words, which repair() mends, and then nothing is wrong.
  void check_mended(const std::string& problem, bool quick = true) const {
    auto findings = check(quick);
    REQUIRE(findings.size() == 1);
    CHECK(findings[0].problem.find(problem) != std::string::npos);
    CHECK(findings[0].mend == Finding::Mend::plain);
    repair_store(background(), place.options, false, findings);
    CHECK(findings.size() == 1);
    CHECK(findings[0].mended);
    CHECK(check().empty());
  }
  bool is_whole() const { return check().empty() && place.open()->images(background()).size() == 1; }

  test::Place place;
  ImageRecord image;
  std::string base, top;
};

bool mentions(const std::vector<Finding>& findings, std::string_view problem) {
  return std::ranges::any_of(
      findings, [&](const Finding& finding) { return finding.problem.find(problem) != std::string::npos; });
}

}  // namespace

TEST_CASE("check: a sound store is sound, with either driver and with a container") {
  for (const std::string driver : {"overlay", "vfs"}) {
    const Checked checked(driver);
    CHECK(checked.check().empty());
    checked.add_container();
    CHECK(checked.check().empty());
  }
}

TEST_CASE("check: it looks only") {
  const Checked checked;
  checked.write("overlay/tempdirs/temp-dir-1/x", "");
  checked.write("overlay/" + test::hex_of("orphan") + "/diff/x", "");
  const auto before = checked.place.directory.snapshot();
  CHECK(checked.check().size() == 2);
  CHECK(checked.place.directory.snapshot() == before);
}

TEST_CASE("check: links of layers are found wrong and made again") {
  const Checked checked;
  const std::string link = checked.read("overlay/" + checked.base + "/link");
  SUBCASE("a symbolic link is gone") {
    std::filesystem::remove(checked.path("overlay/l/" + link));
    // The layer above does not find it either.
    auto findings = checked.check(true);
    CHECK(findings.size() == 2);
    repair_store(background(), checked.place.options, false, findings);
    CHECK(std::ranges::all_of(findings, &Finding::mended));
    CHECK(checked.read("overlay/" + checked.base + "/link") == link);
  }
  SUBCASE("a link file is gone") {
    std::filesystem::remove(checked.path("overlay/" + checked.base + "/link"));
    checked.check_mended("link file");
    CHECK(checked.read("overlay/" + checked.base + "/link") == link);
  }
  SUBCASE("both are gone") {
    std::filesystem::remove(checked.path("overlay/l/" + link));
    std::filesystem::remove(checked.path("overlay/" + checked.base + "/link"));
    auto findings = checked.check(true);
    CHECK(findings.size() == 2);
    repair_store(background(), checked.place.options, false, findings);
    CHECK(std::ranges::all_of(findings, &Finding::mended));
  }
  SUBCASE("a lower file is gone") {
    std::filesystem::remove(checked.path("overlay/" + checked.top + "/lower"));
    checked.check_mended("its lower file");
  }
  SUBCASE("a lower-layers file names others") {
    checked.write("overlay/" + checked.top + "/lower-layers", test::hex_of("other"));
    checked.check_mended("its lower-layers file");
  }
  SUBCASE("there is no lower-layers file, as older tools leave it") {
    std::filesystem::remove(checked.path("overlay/" + checked.top + "/lower-layers"));
  }
  SUBCASE("the empty directory is gone") {
    std::filesystem::remove(checked.path("overlay/" + checked.base + "/empty"));
    checked.check_mended("empty directory");
  }
  SUBCASE("a link leads to no layer") {
    std::filesystem::create_symlink("../" + test::hex_of("other") + "/diff", checked.path("overlay/l/STRAY"));
    checked.check_mended("this link leads to no layer");
  }
  CHECK(checked.is_whole());
  CHECK(test::diff_of(*checked.place.open(), checked.base) == test::make_tar(checked_base));
}

TEST_CASE("check: what belongs to nothing is found and removed") {
  const std::string id = test::hex_of("orphan");
  for (const std::string& path : {"overlay/" + id + "/diff/file", "overlay-layers/" + id + ".tar-split.gz",
                                  "overlay-layers/" + id + "/item", "overlay-images/" + id + "/manifest",
                                  "overlay-containers/" + id + "/userdata/config.json"}) {
    const Checked checked;
    checked.write(path, "x");
    checked.check_mended(path.find("diff") != path.npos ? "these files belong to no layer"
                                                        : "this belongs to no ");
    CHECK_FALSE(std::filesystem::exists(checked.path(path)));
    CHECK(checked.is_whole());
  }
}

TEST_CASE("check: directories that nobody knows are removed by force only") {
  const Checked checked;
  checked.write("overlay/notes/file", "x");
  auto findings = checked.check(true);
  REQUIRE(findings.size() == 1);
  repair_store(background(), checked.place.options, false, findings);
  CHECK_FALSE(findings[0].mended);
  CHECK(std::filesystem::exists(checked.path("overlay/notes/file")));
  repair_store(background(), checked.place.options, true, findings);
  CHECK(findings[0].mended);
  CHECK(checked.is_whole());
}

TEST_CASE("check: what crashed programs left is found and removed") {
  const Checked checked;
  SUBCASE("temporary directories") {
    checked.write("overlay/tempdirs/temp-dir-1/x", "");
    checked.check_mended("left this behind");
  }
  SUBCASE("layers that were not complete") {
    const std::string half = test::hex_of("half");
    std::string text = checked.read("overlay-layers/layers.json");
    text.insert(text.size() - 1, R"(,{"id":")" + half + R"(","flags":{"incomplete":true}})");
    checked.write("overlay-layers/layers.json", text);
    checked.write("overlay/" + half + "/diff/file", "x");
    checked.check_mended("broken off");
  }
  CHECK(checked.is_whole());
}

TEST_CASE("check: a program that is at work is left alone") {
  const Checked checked;
  const auto store = checked.place.open();
  const auto pending = test::layer_of(*store, {{"new", "1"}});
  CHECK(checked.check().empty());
}

TEST_CASE("check: damaged layers cost their images, by force only") {
  const Checked checked;
  const std::string motd = "overlay/" + checked.base + "/diff/etc/motd";
  SUBCASE("other content") {
    checked.write(motd, "HELLO");
  }
  SUBCASE("a file is gone") {
    std::filesystem::remove(checked.path(motd));
  }
  SUBCASE("another mode") {
    std::filesystem::permissions(checked.path(motd), std::filesystem::perms::owner_read);
  }
  SUBCASE("touched") {
    std::filesystem::last_write_time(checked.path(motd), std::filesystem::file_time_type::clock::now());
  }
  SUBCASE("a file too many") {
    checked.write("overlay/" + checked.base + "/diff/etc/more", "x");
  }
  SUBCASE("a link where a file was") {
    std::filesystem::rename(checked.path(motd), checked.path(motd + "-real"));
    std::filesystem::create_symlink("motd-real", checked.path(motd));
  }
  SUBCASE("all files are gone") {
    std::filesystem::remove_all(checked.path("overlay/" + checked.base));
  }
  SUBCASE("the tar-split file is gone") {
    std::filesystem::remove(checked.path("overlay-layers/" + checked.base + ".tar-split.gz"));
  }
  SUBCASE("the tar-split file is damaged") {
    checked.write("overlay-layers/" + checked.base + ".tar-split.gz", "x");
  }
  SUBCASE("the record names another digest") {
    checked.edit("overlay-layers/layers.json",
                 R"("diff-digest":")" + io::digest_of(test::make_tar(checked_base)).str(),
                 R"("diff-digest":"sha256:)" + std::string(64, '0'));
  }
  SUBCASE("the record names another size") {
    checked.edit("overlay-layers/layers.json", R"("diff-size":)", R"("diff-size":1)");
  }
  auto findings = checked.check();
  CHECK(findings.size() >= 2);
  CHECK(mentions(findings, "its layer " + checked.base + " is damaged"));
  repair_store(background(), checked.place.options, false, findings);
  CHECK(std::ranges::none_of(findings, [](const Finding& finding) {
    return finding.mended && finding.mend == Finding::Mend::by_force;
  }));
  CHECK(checked.place.open()->images(background()).size() == 1);
  repair_store(background(), checked.place.options, true, findings);
  CHECK(std::ranges::all_of(findings, &Finding::mended));
  CHECK(checked.check().empty());
  CHECK(checked.place.open()->images(background()).empty());
  CHECK(checked.place.open()->layers(background()).empty());
}

TEST_CASE("check: quickly, contents are not looked at") {
  const Checked checked;
  checked.write("overlay/" + checked.base + "/diff/etc/motd", "HELLO");
  CHECK(checked.check(true).empty());
  CHECK(checked.check(false).size() == 2);
}

TEST_CASE("check: an image that a container uses is never given up") {
  const Checked checked;
  checked.add_container();
  checked.write("overlay/" + checked.base + "/diff/etc/motd", "HELLO");
  auto findings = checked.check();
  CHECK(mentions(findings, "(a container uses the image)"));
  repair_store(background(), checked.place.options, true, findings);
  CHECK(std::ranges::none_of(findings, &Finding::mended));
  CHECK(checked.place.open()->images(background()).size() == 1);
  CHECK(checked.place.open()->containers(background()).size() == 1);
}

TEST_CASE("check: a damaged layer that nothing needs is removed") {
  const Checked checked;
  checked.edit("overlay-images/images.json", R"("layer":")" + checked.top, R"("layer":")" + checked.base);
  checked.write("overlay/" + checked.top + "/diff/etc/issue", "other");
  auto findings = checked.check();
  CHECK(mentions(findings, "its layers are not the 2 that its config names"));
  const auto layer = std::ranges::find(findings, checked.top, &Finding::id);
  REQUIRE(layer != findings.end());
  CHECK(layer->mend == Finding::Mend::plain);
  repair_store(background(), checked.place.options, false, findings);
  CHECK_FALSE(checked.place.open()->find_layer(background(), checked.top).has_value());
  CHECK(checked.place.open()->images(background()).size() == 1);
}

TEST_CASE("check: layers that nothing needs are let be for a day") {
  const Checked checked;
  checked.edit("overlay-images/images.json", R"("layer":")" + checked.top + "\",", "");
  const auto age_of_a_second = std::chrono::seconds(-1);
  CHECK_FALSE(mentions(checked.check(), "no image or container needs it"));
  auto findings =
      check_store(background(), checked.place.options, {.quick = true, .unneeded_age = age_of_a_second});
  CHECK(findings.size() == 2);
  repair_store(background(), checked.place.options, false, findings);
  CHECK(std::ranges::all_of(findings, &Finding::mended));
  CHECK(checked.place.open()->layers(background()).empty());
}

TEST_CASE("check: documents of an image are found damaged") {
  const Checked checked;
  const std::string directory = "overlay-images/" + checked.image.id + "/";
  const std::string config = directory + big_data_file_name("sha256:" + checked.image.id);
  const char* problem = "";
  SUBCASE("the manifest is gone") {
    std::filesystem::remove(checked.path(directory + "manifest"));
    problem = "its item manifest is gone";
  }
  SUBCASE("the manifest is longer") {
    checked.write(directory + "manifest", checked.read(directory + "manifest") + " ");
    problem = "bytes, and should have";
  }
  SUBCASE("the config says something else") {
    checked.edit(config, "amd64", "arm64");
    problem = "has not the digest";
  }
  SUBCASE("there is no config") {
    checked.edit("overlay-images/images.json", R"("big-data-names":["sha256:)" + checked.image.id + R"(",)",
                 R"("big-data-names":[)");
    problem = "it has no config";
  }
  auto findings = checked.check();
  REQUIRE(findings.size() == 1);
  CHECK(findings[0].problem.find(problem) != std::string::npos);
  CHECK(findings[0].mend == Finding::Mend::by_force);
  repair_store(background(), checked.place.options, true, findings);
  CHECK(findings[0].mended);
  CHECK(checked.place.open()->images(background()).empty());
}

TEST_CASE("check: records that contradict each other are found and put right") {
  const Checked checked;
  const auto other = test::hex_of("other");
  SUBCASE("a name twice") {
    std::string text = checked.read("overlay-images/images.json");
    text.insert(1, R"({"id":")" + other +
                       R"(","names":["example.com/app:latest"],"created":"2026-01-02T03:04:05Z"},)");
    checked.write("overlay-images/images.json", text);
    auto findings = checked.check(true);
    REQUIRE(findings.size() == 1);
    CHECK(findings[0].id == other);
    repair_store(background(), checked.place.options, false, findings);
    CHECK(findings[0].mended);
    CHECK(checked.place.open()->find_image(background(), other)->names.empty());
  }
  SUBCASE("a copy for a user namespace that is gone") {
    checked.edit("overlay-images/images.json", R"("layer":)",
                 R"("mapped-layers":[")" + other + R"("],"layer":)");
    checked.check_mended("the copy");
  }
  SUBCASE("a layer twice") {
    checked.write("overlay-layers/volatile-layers.json",
                  R"([{"id":")" + checked.base + R"(","created":"2026-01-02T03:04:05Z"}])");
    checked.check_mended("another record of this ID");
  }
  CHECK(test::diff_of(*checked.place.open(), checked.base) == test::make_tar(checked_base));
}

TEST_CASE("check: records that lead nowhere are found") {
  const Checked checked;
  const auto other = test::hex_of("other");
  SUBCASE("the parent of a layer") {
    checked.edit("overlay-layers/layers.json", R"("parent":")" + checked.base, R"("parent":")" + other);
    CHECK(mentions(checked.check(), "its parent " + other + " is not in the store"));
  }
  SUBCASE("a layer on itself") {
    checked.edit("overlay-layers/layers.json", R"("parent":")" + checked.base, R"("parent":")" + checked.top);
    CHECK(mentions(checked.check(), "it is its own ancestor"));
  }
  SUBCASE("the layer of an image") {
    checked.edit("overlay-images/images.json", R"("layer":")" + checked.top, R"("layer":")" + other);
    CHECK(mentions(checked.check(), "its top layer " + other + " is not in the store"));
  }
  SUBCASE("the image of a container") {
    checked.add_container();
    checked.edit("overlay-containers/containers.json", R"("image":")" + checked.image.id,
                 R"("image":")" + other);
    CHECK(mentions(checked.check(), "its image " + other + " is not in the store"));
  }
}

TEST_CASE("check: records that nobody can read end the search and are left alone") {
  const Checked checked;
  checked.write("overlay-layers/layers.json", R"([{"id":1}])");
  auto findings = checked.check();
  REQUIRE(findings.size() == 1);
  CHECK(findings[0].problem.find("no tool can use this store") != std::string::npos);
  repair_store(background(), checked.place.options, true, findings);
  CHECK(checked.read("overlay-layers/layers.json") == R"([{"id":1}])");
}

TEST_CASE("check: mounts that are counted and not there are forgotten") {
  const Checked checked;
  checked.place.directory.write("run/overlay-layers/mountpoints.json",
                                R"([{"id":")" + checked.top + R"(","path":"/nowhere","count":2}])");
  checked.check_mended("counted as mounted 2 times");
  CHECK(checked.place.open()->mount_state(background(), checked.top).count == 0);
}

TEST_CASE("check: there must be a store") {
  const test::Place place;
  config::StoreOptions options = place.options;
  options.graph_root = place.directory / "nothing";
  CHECK(test::kind_of([&] { check_store(background(), options, {}); }) == Kind::not_found);
}

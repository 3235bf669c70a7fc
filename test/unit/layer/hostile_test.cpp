// Layers that try to change what is outside of their directory, or to take more than their share.
#include <doctest/doctest.h>

#include "archive/tar_block.hpp"
#include "fixture.hpp"
#include "layer/apply.hpp"
#include "support/errors.hpp"

using namespace lade;
using namespace lade::layer;
using archive::TarHeader;
using archive::TarType;
using test::apply_layer;
using test::TarBuilder;

namespace {

// "outside" lies beside the layer's directory "diff"; its absolute name is known to the attacker.
struct Victim {
  Victim() {
    directory.write("outside/file", "secret");
    directory.write("outside/d/file", "secret");
    ::chmod((directory / "outside").c_str(), 0777);
    ::chmod((directory / "outside/d").c_str(), 0777);
    ::chmod((directory / "outside/file").c_str(), 0666);
    std::filesystem::create_directory(directory / "diff");
    ::chmod((directory / "diff").c_str(), 0777);
  }
  std::string outside() const { return (directory / "outside").string(); }
  test::Directory directory;
};

using Attack = std::function<void(TarBuilder&, const std::string& outside)>;

void opaque_mode(TarHeader& header) {
  header.mode = 07777;
  header.mtime = {1, 1};
}

// "diff" is two levels below the test's own directory, so enough of "..".
const std::map<std::string, Attack> attacks{
    {"names with ..",
     [](auto& tar, auto&) { tar.file("../outside/file", "x").file("a/../../outside/new", "x"); }},
    {"absolute names",
     [](auto& tar, auto& outside) { tar.file(outside + "/file", "x").directory(outside, opaque_mode); }},
    {"a directory link that points out",
     [](auto& tar, auto& outside) {
       tar.symlink("l", outside).file("l/file", "x").directory("l/d", opaque_mode);
     }},
    {"a relative link that points out",
     [](auto& tar, auto&) { tar.symlink("l", "../outside").file("l/file", "x"); }},
    {"a chain of links",
     [](auto& tar, auto&) { tar.symlink("a", "b/..").symlink("b", "../outside/d").file("a/file", "x"); }},
    {"a file link that is written through",
     [](auto& tar, auto& outside) { tar.symlink("l", outside + "/file").file("l", "x", opaque_mode); }},
    {"a link under a hard link",
     [](auto& tar, auto& outside) {
       tar.symlink("l", outside + "/file").hard_link("m", "l").file("m", "x", opaque_mode);
     }},
    {"a directory entry over a link",
     [](auto& tar, auto& outside) {
       tar.symlink("l", outside).directory("l", opaque_mode).file("l/file", "x");
     }},
    {"a directory that becomes a link before its times are set",
     [](auto& tar, auto& outside) {
       tar.directory("d/", opaque_mode).directory("d/d", opaque_mode).symlink("d", outside);
     }},
    {"a directory that becomes a link while it is known",
     [](auto& tar, auto& outside) { tar.file("d/a", "x").symlink("d", outside).file("d/file", "x"); }},
    {"a parent that becomes a link while it is known",
     [](auto& tar, auto& outside) { tar.file("p/d/a", "x").symlink("p", outside).file("p/d/file", "x"); }},
    {"a hard link to outside",
     [](auto& tar, auto&) { tar.hard_link("h", "../outside/file").file("h", "x", opaque_mode); }},
    {"a hard link to an absolute name",
     [](auto& tar, auto& outside) { tar.hard_link("h", outside + "/file"); }},
    {"a hard link through a link",
     [](auto& tar, auto& outside) { tar.symlink("l", outside).hard_link("h", "l/file"); }},
    {"a hard link made outside",
     [](auto& tar, auto& outside) { tar.file("a", "x").symlink("l", outside).hard_link("l/new", "a"); }},
    {"a whiteout through a link",
     [](auto& tar, auto& outside) {
       tar.symlink("l", outside).file("l/.wh.file").file("l/.wh..wh..opq").file("l/d/.wh.file");
     }},
    {"a whiteout with ..", [](auto& tar, auto&) { tar.file("../outside/.wh.file").file("../.wh.outside"); }},
    {"a fifo and a device through a link",
     [](auto& tar, auto& outside) {
       tar.symlink("l", outside).add(TarType::fifo, "l/fifo").add(TarType::fifo, "l/file");
     }},
    {"an extended attribute through a link",
     [](auto& tar, auto& outside) {
       tar.symlink("l", outside).directory("l/d", [](TarHeader& header) {
         header.pax["SCHILY.xattr.user.x"] = "y";
       });
     }},
    {"a link to the descriptors of the process",
     [](auto& tar, auto&) {
       for (int fd = 3; fd < 20; ++fd)
         tar.symlink("l" + std::to_string(fd), "/proc/self/fd/" + std::to_string(fd) + "/../outside");
       for (int fd = 3; fd < 20; ++fd) tar.file("l" + std::to_string(fd) + "/file", "x");
     }},
    {"a link over the root", [](auto& tar, auto& outside) { tar.symlink(".", outside).file("file", "x"); }},
};

// The layer may be refused or land inside.
void check_harmless(const Attack& attack, Whiteouts whiteouts, bool nobody) {
  const Victim victim;
  TarBuilder tar;
  attack(tar, victim.outside());
  const auto before = test::listing(victim.outside());
  const auto own = test::stat_of(victim.outside());
  const auto run = [&] {
    ApplyOptions options = test::usual_options();
    options.whiteouts = whiteouts;
    try {
      apply_layer(tar.finish(), victim.directory / "diff", options);
    } catch (const Error&) {
    }
  };
  nobody ? test::as_nobody(victim.directory, run) : run();
  CHECK(test::listing(victim.outside()) == before);
  const auto after = test::stat_of(victim.outside());
  CHECK(after.st_mode == own.st_mode);
  CHECK(after.st_mtim.tv_sec == own.st_mtim.tv_sec);
  CHECK(victim.directory.has("diff"));
}

// A tar of any number of empty files, made while it is read.
class EndlessTar final : public io::Reader {
 public:
  explicit EndlessTar(std::string member) : member_(std::move(member)) {}
  std::size_t read(io::Buffer buffer) override {
    const auto part = io::as_bytes(member_).first(std::min(buffer.size(), member_.size()));
    std::copy(part.begin(), part.end(), buffer.begin());
    given += part.size();
    return part.size();
  }
  std::uint64_t given = 0;

 private:
  std::string member_;
};

std::string empty_member(const std::string& name) {
  return TarBuilder().file(name).finish().substr(0, archive::tar_block_size);
}

}  // namespace

TEST_CASE("no layer changes anything outside of its directory") {
  for (const auto& [title, attack] : attacks) {
    const auto& name = title;  // clang 14 does not capture bindings
    CAPTURE(name);
    for (const auto whiteouts : {Whiteouts::overlay, Whiteouts::files, Whiteouts::remove}) {
      CAPTURE(static_cast<int>(whiteouts));
      check_harmless(attack, whiteouts, false);
      check_harmless(attack, whiteouts, true);
    }
  }
}

TEST_CASE("names are clamped to the layer's directory") {
  const test::Directory directory;
  apply_layer(TarBuilder()
                  .file("../../a", "1")
                  .file("/b", "2")
                  .file("c/../d", "3")
                  .symlink("l", "/e")
                  .directory("e")
                  .file("l/f", "4")
                  .finish(),
              directory / "diff");
  CHECK(directory.read("diff/a") == "1");
  CHECK(directory.read("diff/b") == "2");
  CHECK(directory.read("diff/d") == "3");
  CHECK(directory.read("diff/e/f") == "4");
}

TEST_CASE("sizes that are not believable are refused before anything is made of them") {
  const test::Directory directory;
  for (const auto& size : {std::string("\x80\0\0\0\x7f\xff\xff\xff\xff\xff\xff\xff", 12),
                           std::string("\x80\0\0\0\x80\0\0\0\0\0\0\0", 12), std::string(12, '\xff')}) {
    std::string tar = TarBuilder().file("a", "x").finish();
    archive::TarBlock block{};
    archive::set_text(block, {0, archive::tar_block_size}, tar);
    archive::set_text(block, archive::field::size, size);
    archive::set_checksum(block);
    tar.replace(0, archive::tar_block_size, io::as_text(block));
    CHECK_THROWS_AS(apply_layer(tar, directory / "diff"), Error);
  }
}

TEST_CASE("a layer has at most so many bytes and entries") {
  ApplyOptions options = test::usual_options();
  const auto run = [&](EndlessTar& tar) {
    const test::Directory directory;
    return test::error_of([&] {
      layer::apply(background(), tar, os::open_file(directory.path(), O_RDONLY | O_DIRECTORY), options);
    });
  };
  options.max_entries = 1'000;
  EndlessTar entries(empty_member("a"));
  const auto too_many = run(entries);
  CHECK(too_many.kind() == Kind::invalid_input);
  CHECK(too_many.message() == "a layer has more than 1000 entries");
  CHECK(entries.given < 32 * 1024 * 1024);
  options.max_entries = UINT64_MAX;
  options.max_size = 1'000'000;
  EndlessTar bytes(empty_member("a"));
  CHECK(run(bytes).message() == "a layer is larger than 1000000 bytes");
  CHECK(bytes.given < 2 * 1'000'000);
}

TEST_CASE("directories may be nested deeply, and go when they are replaced") {
  const test::Directory directory;
  std::string path;
  for (int depth = 0; depth < 1'500; ++depth) path += "d/";
  const std::string tar =
      TarBuilder().directory(path).file(path + "f", "x").file("d/d/d/g", "y").file("d", "z").finish();
  if (apply_layer(tar, directory / "diff").size != tar.size()) FAIL("the layer was not read to its end");
  CHECK(directory.read("diff/d") == "z");
  path.append(path);
  CHECK_THROWS_AS(apply_layer(TarBuilder().directory(path).finish(), directory / "other"), Error);
}

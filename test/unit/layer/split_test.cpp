// What apply() writes as tar-split, together with what it unpacked, is the tar again.
#include <doctest/doctest.h>

#include "archive/tar_split.hpp"
#include "fixture.hpp"
#include "io/codec/codec.hpp"
#include "layer/apply.hpp"

using namespace lade;
using namespace lade::layer;
using archive::TarHeader;
using archive::TarType;
using test::TarBuilder;

namespace {

struct Split {
  std::string tar;        // assembled again
  std::size_t files = 0;  // entries with content
};

Split split_of(const std::string& tar, Whiteouts whiteouts) {
  const test::Directory directory;
  test::TextWriter tar_split;
  ApplyOptions options = test::usual_options();
  options.whiteouts = whiteouts;
  options.tar_split = &tar_split;
  test::apply_layer(tar, directory / "diff", options);
  Split split;
  archive::TarSplitEntries entries(io::make_text_reader(tar_split.text));
  while (const auto entry = entries.next())
    if (entry->is_file && entry->size > 0) ++split.files;
  archive::TarSplitReader reader(
      io::make_text_reader(tar_split.text),
      archive::open_in_roots({std::make_shared<const os::Root>(directory / "diff")}));
  split.tar = test::read_text(reader);
  return split;
}

// How many contents are read by name; the rest is in the segments.
void check_split(const std::string& tar, std::size_t files) {
  for (const auto whiteouts : {Whiteouts::overlay, Whiteouts::files, Whiteouts::remove}) {
    CAPTURE(static_cast<int>(whiteouts));
    const auto split = split_of(tar, whiteouts);
    CHECK(split.tar == tar);
    CHECK(split.files == files);
  }
}

}  // namespace

TEST_CASE("a usual layer comes back with all contents from the files") {
  TarBuilder tar;
  tar.directory("./").directory("./d/");
  for (std::size_t i = 0; i < 200; ++i)
    tar.file("./d/" + std::to_string(i), test::random_bytes(i * 97 + 1, i + 1));
  tar.file("big", test::random_bytes(1'500'000)).file("empty").symlink("l", "big").hard_link("h", "big");
  tar.file("d/.wh.gone").add(TarType::fifo, "fifo");
  tar.file("d/\xff name", "x", [](TarHeader& header) { header.mtime.nanoseconds = 5; });
  std::string text = tar.finish();
  text.append(20'000, '\0');
  check_split(text, 202);
}

TEST_CASE("files that are in the way of later ones are kept aside") {
  check_split(TarBuilder().file("a", "one").file("./a", "two").file("a", "three").file("b", "x").finish(), 1);
  check_split(
      TarBuilder().file("d/a", "one").file("d/e/b", "two").file("d/c").file("d", "x").file("e", "y").finish(),
      2);
  check_split(TarBuilder().file("a", "one").hard_link("b", "a").hard_link("a", "b").file("a", "2").finish(),
              0);
  check_split(TarBuilder().file("a", "one").symlink("a", "b").file("b", "two").finish(), 1);
  check_split(TarBuilder().file("a", "one").directory("a").file("a/b", "two").finish(), 1);
}

TEST_CASE("files that are reached through links or odd names are in the segments") {
  check_split(TarBuilder().directory("d").symlink("l", "d").file("l/a", "1").file("d/a", "2").finish(), 1);
  check_split(TarBuilder().directory("d").symlink("l", "d").file("l/a", "one").file("d/b", "two").finish(),
              1);
  check_split(TarBuilder()
                  .directory("d")
                  .symlink("l", "/d")
                  .file("d/a", "1")
                  .file("l/a", "2")
                  .file("d/a", "3")
                  .finish(),
              0);
  check_split(TarBuilder().file("../a", "one").file("d/../b", "two").file("/c", "three").finish(), 1);
  check_split(TarBuilder().file(".wh.a", "content").file(".wh..wh.aufs", "content").finish(), 0);
}

#include "archive/tar_index.hpp"

#include <doctest/doctest.h>

#include "archive/tar_writer.hpp"
#include "os/file.hpp"
#include "support/errors.hpp"
#include "support/streams.hpp"
#include "support/temp_dir.hpp"
#include "support/text_writer.hpp"

using namespace lade;
using namespace lade::archive;

namespace {

std::string sample() {
  test::TextWriter out;
  TarWriter tar(out);
  const auto add = [&](TarType type, const char* name, const char* link, std::string_view content) {
    TarHeader header;
    header.type = type;
    header.name = name;
    header.link = link;
    tar.add(header, content);
  };
  add(TarType::regular, "./a", "", "first a");
  add(TarType::regular, "dir/b", "", std::string(10'000, 'b'));
  add(TarType::symlink, "dir/up", "../a", "");
  add(TarType::symlink, "loop", "loop", "");
  add(TarType::hard_link, "hard", "dir/b", "");
  add(TarType::regular, "a", "", "second a");
  tar.finish();
  return out.text;
}

struct Sample {
  Sample() { directory.write("tar", sample()); }
  TarIndex index(TarIndex::Duplicates duplicates) const {
    return TarIndex(background(),
                    std::make_shared<const os::UniqueFd>(os::open_file(directory / "tar", O_RDONLY)),
                    duplicates);
  }
  test::Directory directory;
};

std::string content(const TarIndex& index, const char* name) {
  const TarEntry* entry = index.find_file(name);
  REQUIRE(entry != nullptr);
  return test::read_text(*index.open(*entry));
}

}  // namespace

TEST_CASE("an index finds members by their clean names and reads them in place") {
  const Sample sample;
  const TarIndex index = sample.index(TarIndex::Duplicates::first);
  CHECK(content(index, "a") == "first a");
  CHECK(content(index, "./dir//b") == std::string(10'000, 'b'));
  CHECK(index.find("missing") == nullptr);
}

TEST_CASE("of several members with one name the first or the last counts, as asked") {
  const Sample sample;
  CHECK(content(sample.index(TarIndex::Duplicates::first), "a") == "first a");
  CHECK(content(sample.index(TarIndex::Duplicates::last), "a") == "second a");
}

TEST_CASE("links inside the archive are followed, loops are not") {
  const Sample sample;
  const TarIndex index = sample.index(TarIndex::Duplicates::first);
  CHECK(content(index, "dir/up") == "first a");
  CHECK(content(index, "hard") == std::string(10'000, 'b'));
  CHECK(index.find_file("loop") == nullptr);
}

TEST_CASE("an index of a truncated file is an integrity error") {
  const Sample sample;
  sample.directory.write("tar", sample.directory.read("tar").substr(0, 3'000));
  CHECK(test::kind_of([&] { sample.index(TarIndex::Duplicates::first); }) == Kind::integrity);
}

#include "layer/file_clones.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>

#include <filesystem>

#include "os/atomic_file.hpp"
#include "os/file.hpp"
#include "os/temp_dir.hpp"

using namespace lade;
using layer::FileClones;

TEST_CASE("a clone has the bytes of its file and can be named, where the file system can do it") {
  const os::TempDir place(std::filesystem::temp_directory_path(), "lade-");
  const std::string text(FileClones::min_size, 'x');
  os::write_file(place.path() / "file", text);
  const auto directory = os::open_file(place.path(), O_RDONLY | O_DIRECTORY);
  FileClones clones(directory);
  const auto reader = clones.make(os::open_file(place.path() / "file", O_RDONLY), "entry");
  const auto clone = clones.take("entry", text.size());
  REQUIRE(reader.has_value() == clone.has_value());
  if (!clone) return;  // neither XFS nor btrfs
  os::write_file(place.path() / "file", "changed");
  REQUIRE(layer::link_unnamed(*clone, directory.get(), "named"));
  CHECK(os::read_file(place.path() / "named", text.size()) == text);
  CHECK_FALSE(clones.take("entry", text.size()));
}

TEST_CASE("only what was cloned for the entry, in its size, is taken") {
  const os::TempDir place(std::filesystem::temp_directory_path(), "lade-");
  const auto directory = os::open_file(place.path(), O_RDONLY | O_DIRECTORY);
  FileClones clones(directory);
  CHECK_FALSE(clones.take("entry", FileClones::min_size));
  os::write_file(place.path() / "file", std::string(FileClones::min_size, 'x'));
  (void)clones.make(os::open_file(place.path() / "file", O_RDONLY), "entry");
  CHECK_FALSE(clones.take("other", FileClones::min_size));
  CHECK_FALSE(clones.take("entry", FileClones::min_size + 1));
}

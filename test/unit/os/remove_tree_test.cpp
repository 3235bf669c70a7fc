#include "os/remove_tree.hpp"

#include <doctest/doctest.h>
#include <unistd.h>

#include "os/file.hpp"
#include "os/unique_fd.hpp"
#include "support/temp_dir.hpp"

using namespace lade;
using namespace lade::os;

TEST_CASE("a tree is removed with all it holds, and links are not followed") {
  const test::Directory directory;
  directory.write("tree/a/b", "x");
  directory.write("kept/file", "x");
  REQUIRE(::symlink("../kept", (directory / "tree/link").c_str()) == 0);
  remove_tree(directory / "tree");
  CHECK_FALSE(directory.has("tree"));
  CHECK(directory.has("kept/file"));
  CHECK_NOTHROW(remove_tree(directory / "tree"));
}

TEST_CASE("a directory without permissions is removed too") {
  const test::Directory directory;
  directory.write("tree/a/b", "x");
  REQUIRE(::chmod((directory / "tree/a").c_str(), 0) == 0);
  REQUIRE(::chmod((directory / "tree").c_str(), 0555) == 0);
  remove_tree(directory / "tree");
  CHECK_FALSE(directory.has("tree"));
}

TEST_CASE("a single file is a tree") {
  const test::Directory directory;
  directory.write("file", "x");
  remove_tree(directory / "file");
  CHECK_FALSE(directory.has("file"));
}

TEST_CASE("a tree far deeper than there may be open files is removed") {
  const test::Directory directory;
  mkdir_all(directory / "tree");
  UniqueFd at = open_file(directory / "tree", O_RDONLY | O_DIRECTORY);
  for (int i = 0; i < 3000; ++i) {
    REQUIRE(::mkdirat(at.get(), "d", 0700) == 0);
    at = open_at(at, "d", O_RDONLY | O_DIRECTORY);
  }
  remove_tree(directory / "tree");
  CHECK(directory.snapshot().empty());
}

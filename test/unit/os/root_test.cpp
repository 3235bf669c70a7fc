#include "os/root.hpp"

#include <doctest/doctest.h>

#include "base/error.hpp"
#include "support/streams.hpp"
#include "support/temp_dir.hpp"

using namespace lade;
using namespace lade::os;

namespace {

// "outside" beside the root must never be reached.
struct Tree {
  Tree() {
    directory.write("outside", "secret");
    directory.write("root/dir/file", "inside");
    directory.write("root/outside", "decoy");
    const auto link = [this](const char* target, const char* name) {
      std::filesystem::create_symlink(target, directory / "root" / name);
    };
    link("dir", "to_dir");
    link("/dir/file", "absolute");
    link("../../../outside", "up");
    link("loop", "loop");
    link("/proc/self/exe", "magic");
    link("missing", "dangling");
  }
  test::Directory directory;
};

std::string read_at(const Root& root, std::string_view name) {
  FileReader reader(root.open(name, O_RDONLY));
  return test::read_text(reader);
}

}  // namespace

TEST_CASE("names below a root resolve inside it, whatever links say") {
  const Tree tree;
  for (const auto resolver : {Root::Resolver::kernel, Root::Resolver::walk}) {
    CAPTURE(static_cast<int>(resolver));
    const Root root(tree.directory / "root", resolver);
    CHECK(read_at(root, "dir/file") == "inside");
    CHECK(read_at(root, "/dir/./file") == "inside");
    CHECK(read_at(root, "to_dir/file") == "inside");
    CHECK(read_at(root, "absolute") == "inside");
    CHECK(read_at(root, "up") == "decoy");
    CHECK(read_at(root, "../../outside") == "decoy");
    CHECK(read_at(root, "to_dir/../to_dir/../outside") == "decoy");
  }
}

TEST_CASE("what cannot be resolved below a root is an error") {
  const Tree tree;
  for (const auto resolver : {Root::Resolver::kernel, Root::Resolver::walk}) {
    CAPTURE(static_cast<int>(resolver));
    const Root root(tree.directory / "root", resolver);
    for (const auto* name : {"loop", "missing", "dangling", "magic", "dir/file/", "dir/file/x"}) {
      CAPTURE(name);
      CHECK_THROWS_AS((void)root.open(name, O_RDONLY), Error);
    }
    CHECK_THROWS_AS((void)root.open("absolute", O_RDONLY | O_NOFOLLOW), Error);
    CHECK_THROWS_AS((void)root.open(std::string_view("a\0b", 3), O_RDONLY), Error);
  }
}

TEST_CASE("files are created below a root, through links too") {
  for (const auto resolver : {Root::Resolver::kernel, Root::Resolver::walk}) {
    const Tree tree;
    const Root root(tree.directory / "root", resolver);
    write_all(root.open("to_dir/new", O_WRONLY | O_CREAT | O_EXCL, 0644), io::as_bytes("x"));
    CHECK(tree.directory.read("root/dir/new") == "x");
    write_all(root.open("dangling", O_WRONLY | O_CREAT, 0644), io::as_bytes("y"));
    CHECK(tree.directory.read("root/missing") == "y");
  }
}

TEST_CASE("the root itself can be opened") {
  const Tree tree;
  for (const auto resolver : {Root::Resolver::kernel, Root::Resolver::walk}) {
    const Root root(tree.directory / "root", resolver);
    const auto inode = stat_of(root.fd()).st_ino;
    for (const auto* name : {"/", ".", "..", "dir/.."}) {
      CAPTURE(name);
      CHECK(stat_of(root.open(name, O_RDONLY | O_DIRECTORY)).st_ino == inode);
    }
  }
}

#include "os/copy_tree.hpp"

#include <doctest/doctest.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "support/errors.hpp"
#include "support/temp_dir.hpp"

using namespace lade;
using namespace lade::os;

namespace {

struct ::stat status_of(const std::filesystem::path& path) {
  struct ::stat status {};
  REQUIRE(::lstat(path.c_str(), &status) == 0);
  return status;
}

}  // namespace

TEST_CASE("a copied tree has the same types, modes, times, links and attributes") {
  const test::Directory directory;
  directory.write("from/a/file", "content");
  const auto from = directory / "from", to = directory / "to";
  REQUIRE(::symlink("nowhere", (from / "link").c_str()) == 0);
  REQUIRE(::mkfifo((from / "fifo").c_str(), 0640) == 0);
  REQUIRE(::link((from / "a/file").c_str(), (from / "other").c_str()) == 0);
  REQUIRE(::chmod((from / "a/file").c_str(), 04755) == 0);
  REQUIRE(::chmod((from / "a").c_str(), 0510) == 0);
  const bool has_xattrs = ::setxattr((from / "a/file").c_str(), "user.x", "1", 1, 0) == 0;
  const struct ::timespec times[2] = {{1, 2}, {3, 4}};
  REQUIRE(::utimensat(AT_FDCWD, (from / "a").c_str(), times, 0) == 0);

  copy_tree(background(), from, to, {});
  CHECK(directory.read("to/a/file") == "content");
  CHECK((status_of(to / "a/file").st_mode & 07777) == 04755);
  CHECK((status_of(to / "a").st_mode & 07777) == 0510);
  CHECK(status_of(to / "a").st_mtim.tv_sec == 3);
  CHECK(status_of(to / "a").st_mtim.tv_nsec == 4);
  CHECK(std::filesystem::read_symlink(to / "link") == "nowhere");
  CHECK(S_ISFIFO(status_of(to / "fifo").st_mode));
  CHECK(status_of(to / "a/file").st_ino == status_of(to / "other").st_ino);
  CHECK(status_of(to / "a/file").st_ino != status_of(from / "other").st_ino);
  char value = 0;
  if (has_xattrs) CHECK(::getxattr((to / "a/file").c_str(), "user.x", &value, 1) == 1);
  ::chmod((from / "a").c_str(), 0700);
  ::chmod((to / "a").c_str(), 0700);
}

TEST_CASE("nothing that is there is overwritten, and a stopped context ends a copy") {
  const test::Directory directory;
  directory.write("from/file", "");
  directory.write("to/file", "");
  CHECK(test::kind_of([&] { copy_tree(background(), directory / "from", directory / "to", {}); }) ==
        Kind::already_exists);
  std::stop_source stop;
  stop.request_stop();
  const Context stopped = background().with_stop(stop.get_token());
  CHECK_THROWS_AS(copy_tree(stopped, directory / "from", directory / "other", {}), Cancelled);
}

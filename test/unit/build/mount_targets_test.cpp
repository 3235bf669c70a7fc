#include "build/mount_targets.hpp"

#include <doctest/doctest.h>
#include <sys/stat.h>

#include "os/file.hpp"
#include "support/temp_dir.hpp"

using namespace lade;
using namespace lade::build;

namespace {

std::int64_t mtime_of(const std::filesystem::path& path) {
  struct ::stat stat {};
  REQUIRE(::stat(path.c_str(), &stat) == 0);
  return stat.st_mtim.tv_sec;
}

}  // namespace

TEST_CASE("mount targets: what was made goes again, and the directory looks as before") {
  const test::Directory directory;
  directory.write("etc/passwd", "");
  const std::timespec times[2] = {{5, 0}, {5, 0}};
  ::utimensat(AT_FDCWD, (directory / "etc").c_str(), times, 0);
  const os::Root root(directory.path());
  {
    MountTargets targets(background(), root);
    targets.make("/etc/hosts", false);
    targets.make("/run/a/b", true);
    CHECK(std::filesystem::is_regular_file(directory / "etc/hosts"));
    CHECK(std::filesystem::is_directory(directory / "run/a/b"));
    CHECK(mtime_of(directory / "etc") == 5);
  }
  CHECK_FALSE(std::filesystem::exists(directory / "etc/hosts"));
  CHECK_FALSE(std::filesystem::exists(directory / "run"));
  CHECK(mtime_of(directory / "etc") == 5);
}

TEST_CASE("mount targets: what was there or was used stays") {
  const test::Directory directory;
  directory.write("etc/hosts", "mine");
  const os::Root root(directory.path());
  {
    MountTargets targets(background(), root);
    targets.make("/etc/hosts", false);
    targets.make("/etc/new", false);
    targets.make("/data", true);
    directory.write("etc/new", "used");
    directory.write("data/file", "used");
  }
  CHECK(directory.read("etc/hosts") == "mine");
  CHECK(directory.read("etc/new") == "used");
  CHECK(directory.read("data/file") == "used");
}

TEST_CASE("mount targets: links of the image do not lead out of it") {
  const test::Directory directory;
  os::mkdir_all(directory / "root");
  os::mkdir_all(directory / "outside");
  std::filesystem::create_symlink(directory / "outside", directory / "root/etc");
  const os::Root root(directory / "root");
  MountTargets targets(background(), root);
  targets.make("/etc/hosts", false);
  CHECK_FALSE(std::filesystem::exists(directory / "outside/hosts"));
}

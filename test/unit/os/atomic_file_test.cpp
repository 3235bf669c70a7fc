#include "os/atomic_file.hpp"

#include <doctest/doctest.h>
#include <sys/stat.h>

#include "base/error.hpp"
#include "support/temp_dir.hpp"

using namespace lade;
using namespace lade::os;

TEST_CASE("an atomic file without commit vanishes and leaves the old one") {
  const test::Directory directory;
  directory.write("target", "old");
  {
    AtomicFile file(directory.path(), "put-");
    file.write(io::as_bytes("new"));
    CHECK(directory.snapshot().size() == 2);
  }
  CHECK(directory.snapshot() == std::map<std::string, std::string>{{"target", "old"}});
}

TEST_CASE("commit replaces the target with exactly the mode asked for") {
  const test::Directory directory;
  directory.write("target", "old");
  AtomicFile file(directory.path(), "put-");
  file.write(io::as_bytes("new"));
  const mode_t old_mask = ::umask(077);
  file.commit(directory / "target", {.mode = 0664, .sync = true});
  ::umask(old_mask);
  CHECK(directory.snapshot() == std::map<std::string, std::string>{{"target", "new"}});
  CHECK((stat_of(open_file(directory / "target", O_RDONLY)).st_mode & 07777) == 0664);
}

TEST_CASE("a commit that fails leaves nothing behind") {
  const test::Directory directory;
  {
    AtomicFile file(directory.path(), "put-");
    CHECK_THROWS_AS(file.commit(directory / "missing/target"), Error);
  }
  CHECK(directory.snapshot().empty());
}

TEST_CASE("a moved atomic file belongs to its new owner") {
  const test::Directory directory;
  {
    AtomicFile first(directory.path(), "put-");
    AtomicFile second(std::move(first));
    second.write(io::as_bytes("x"));
    second.commit(directory / "target");
  }
  CHECK(directory.read("target") == "x");
}

TEST_CASE("write_file replaces a whole file") {
  const test::Directory directory;
  write_file(directory / "f", "one");
  write_file(directory / "f", "two", {.mode = 0600});
  CHECK(directory.snapshot() == std::map<std::string, std::string>{{"f", "two"}});
}

TEST_CASE("a temporary directory goes away with all it holds") {
  const test::Directory directory;
  {
    const TempDir temp(directory.path(), "t-");
    CHECK(temp.path().filename().string().starts_with("t-"));
    mkdir_all(temp.path() / "a/b");
    write_file(temp.path() / "a/b/c", "text");
  }
  CHECK(directory.snapshot().empty());
}

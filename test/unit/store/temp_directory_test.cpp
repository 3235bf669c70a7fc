#include "store/temp_directory.hpp"

#include <doctest/doctest.h>
#include <unistd.h>

#include <optional>

#include "support/temp_dir.hpp"

using namespace lade;
using namespace lade::store;

TEST_CASE("temp directory: it has a lock beside it, and both are gone afterwards") {
  const test::Directory directory;
  {
    const TempDirectory temporary(background(), directory / "tmp");
    const auto name = temporary.path().filename().string();
    CHECK(name.starts_with("temp-dir-"));
    CHECK(directory.has("tmp/lock-" + name.substr(9)));
  }
  CHECK(directory.snapshot() == std::map<std::string, std::string>{{"tmp", ""}});
}

TEST_CASE("temp directory: one in use is not stale, those without an owner are") {
  const test::Directory directory;
  std::optional<TempDirectory> used(std::in_place, background(), directory / "tmp");
  directory.write("tmp/temp-dir-1/file", "x");
  directory.write("tmp/lock-1", "");
  directory.write("tmp/temp-dir-2/file", "x");
  directory.write("tmp/lock-3", "");
  remove_stale_temp_directories(directory / "tmp");
  CHECK(directory.snapshot().size() == 3);
  CHECK(std::filesystem::exists(used->path()));
  used.reset();
  CHECK(directory.snapshot().size() == 1);
  CHECK_NOTHROW(remove_stale_temp_directories(directory / "missing"));
}

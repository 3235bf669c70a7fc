#include "runtime/seccomp_cache.hpp"

#include <doctest/doctest.h>
#include <sys/stat.h>

#include <filesystem>

#include "os/atomic_file.hpp"
#include "os/file.hpp"
#include "os/temp_dir.hpp"

using namespace lade;
using namespace lade::runtime;
namespace fs = std::filesystem;

namespace {

Seccomp profile(const std::string& system_call) {
  Seccomp seccomp;
  seccomp.default_action = "SCMP_ACT_ALLOW";
  seccomp.syscalls.push_back({{system_call}, "SCMP_ACT_ERRNO", {}, {}});
  return seccomp;
}

fs::path only_file(const fs::path& directory) {
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(directory)) files.push_back(entry.path());
  REQUIRE(files.size() == 1);
  return files.front();
}

}  // namespace

TEST_CASE("a filter is kept and is the same the next time") {
  const os::TempDir directory(fs::temp_directory_path(), "lade-");
  const fs::path cache = directory.path() / "cache";
  const auto compiled = compile_seccomp(profile("getcwd")).program;
  CHECK(cached_seccomp(cache, profile("getcwd")).program == compiled);
  const fs::path file = only_file(cache);
  const auto changed = fs::last_write_time(file);
  CHECK(cached_seccomp(cache, profile("getcwd")).program == compiled);
  CHECK(fs::last_write_time(file) == changed);
}

TEST_CASE("another profile has a filter of its own") {
  const os::TempDir directory(fs::temp_directory_path(), "lade-");
  const auto first = cached_seccomp(directory.path(), profile("getcwd")).program;
  const auto second = cached_seccomp(directory.path(), profile("uname")).program;
  CHECK(first != second);
  CHECK(second == compile_seccomp(profile("uname")).program);
}

TEST_CASE("a file made for another profile, or a damaged one, is not used") {
  const os::TempDir directory(fs::temp_directory_path(), "lade-");
  const auto program = cached_seccomp(directory.path(), profile("getcwd")).program;
  const fs::path file = only_file(directory.path());
  for (const std::string& text :
       {std::string(), std::string(64, '\0'), std::string("x") + os::read_file(file, 1 << 20)}) {
    os::write_file(file, text);
    CHECK(cached_seccomp(directory.path(), profile("getcwd")).program == program);
  }
}

TEST_CASE("a directory that others may write to is not used") {
  const os::TempDir directory(fs::temp_directory_path(), "lade-");
  REQUIRE(::chmod(directory.path().c_str(), 0777) == 0);
  CHECK(cached_seccomp(directory.path(), profile("getcwd")).program ==
        compile_seccomp(profile("getcwd")).program);
  CHECK(fs::is_empty(directory.path()));
}

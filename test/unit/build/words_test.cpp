#include <doctest/doctest.h>

#include "build/shell_words.hpp"
#include "build/users.hpp"
#include "support/errors.hpp"
#include "support/temp_dir.hpp"

using namespace lade;
using namespace lade::build;

TEST_CASE("shell words: quotes and backslashes") {
  using WordList = std::vector<std::string>;
  CHECK(split_shell_words("a  'b c' \"d e\" f\\ g ''") == WordList{"a", "b c", "d e", "f g", ""});
  CHECK(split_shell_words("").empty());
  CHECK_THROWS_WITH(split_shell_words("a \"b"), "invalid command line string");
}

TEST_CASE("users: by the container's own files") {
  const test::Directory directory;
  directory.write("etc/passwd", "root:x:0:0::/root:/bin/sh\nbob:x:5:6::/home/bob:/bin/sh\nbad line\n");
  directory.write("etc/group", "wheel:x:10:bob,eve\nbob:x:6:\n");
  const os::Root root(directory.path());
  const auto bob = find_user(root, "bob");
  CHECK(bob.uid == 5);
  CHECK(bob.gid == 6);
  CHECK(bob.home == "/home/bob");
  CHECK(bob.other_groups == std::vector<std::uint32_t>{10});
  CHECK(find_user(root, "5").gid == 6);
  CHECK(find_user(root, "77").gid == 0);
  CHECK(find_user(root, "77:wheel").gid == 10);
  CHECK(find_user(root, "").uid == 0);
  CHECK_THROWS_WITH(find_user(root, "eve"), "user: unknown user error looking up user \"eve\"");
  CHECK_THROWS_AS(find_user(root, "bob:nosuch"), Error);
}

TEST_CASE("users: a link in the place of the passwd file does not lead out of the container") {
  const test::Directory directory;
  directory.write("passwd", "bob:x:5:6::/:/bin/sh\n");
  std::filesystem::create_directories(directory / "root/etc");
  std::filesystem::create_symlink("../../passwd", directory / "root/etc/passwd");
  CHECK_THROWS_AS(find_user(os::Root(directory / "root"), "bob"), Error);
}

#include "build/patterns.hpp"

#include <doctest/doctest.h>

#include "build/glob.hpp"
#include "os/file.hpp"
#include "support/temp_dir.hpp"

using namespace lade;
using namespace lade::build;

TEST_CASE("patterns: wildcards stop at slashes, two stars do not") {
  CHECK(matches_pattern("*.txt", "a.txt"));
  CHECK_FALSE(matches_pattern("*.txt", "d/a.txt"));
  CHECK(matches_pattern("**/a.txt", "a.txt"));
  CHECK(matches_pattern("**/a.txt", "x/y/a.txt"));
  CHECK(matches_pattern("a?c", "abc"));
  CHECK_FALSE(matches_pattern("a?c", "a/c"));
  CHECK(matches_pattern("[a-c]x", "bx"));
  CHECK_FALSE(matches_pattern("[^a-c]x", "bx"));
  CHECK(matches_pattern("\\*", "*"));
  CHECK_FALSE(matches_pattern("\\*", "a"));
}

TEST_CASE("patterns: many stars take no long time") {
  std::string pattern, name(3000, 'a');
  for (int i = 0; i < 200; ++i) pattern += "*a";
  pattern += "b";
  CHECK_FALSE(matches_pattern(pattern, name));
}

TEST_CASE("excludes: later patterns win, and directories take along what is in them") {
  const ExcludePatterns patterns({"sub", "!sub/keep", "# no comment here", "/root.txt"});
  CHECK(patterns.excludes("sub"));
  CHECK(patterns.excludes("sub/x/y"));
  CHECK_FALSE(patterns.excludes("sub/keep"));
  CHECK_FALSE(patterns.excludes("other/sub"));
  CHECK(patterns.excludes("root.txt"));
  CHECK(patterns.may_include_below("sub"));
  CHECK_FALSE(ExcludePatterns({"sub"}).may_include_below("sub"));
  // No wildcard leads back into a directory.
  CHECK_FALSE(ExcludePatterns({"sub", "!*/keep"}).may_include_below("sub"));
  CHECK_FALSE(ExcludePatterns({"sub", "!sub2/keep"}).may_include_below("sub"));
}

TEST_CASE("excludes: an ignore file has comments and blank lines") {
  CHECK(parse_ignore_file("\xEF\xBB\xBF# c\n\n a \r\n!b\n") == std::vector<std::string>{"a", "!b"});
}

TEST_CASE("glob: below a root, and nowhere else") {
  const test::Directory directory;
  for (const char* name : {"a/one.c", "a/two.h", "b/one.c"}) directory.write(name, "");
  std::filesystem::create_symlink("/", directory / "up");
  const os::Root root(directory.path());
  CHECK(expand_glob(background(), root, "*/one.c") == std::vector<std::string>{"a/one.c", "b/one.c"});
  CHECK(expand_glob(background(), root, "**/*.h") == std::vector<std::string>{"a/two.h"});
  CHECK(expand_glob(background(), root, "nothing").empty());
  CHECK(expand_glob(background(), root, "up/a/one.c") == std::vector<std::string>{"up/a/one.c"});
  CHECK(expand_glob(background(), root, "up/etc/*").empty());
}

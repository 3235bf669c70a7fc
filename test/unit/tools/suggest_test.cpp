#include "common/suggest.hpp"

#include <doctest/doctest.h>

using namespace lade::common;
using Names = std::vector<std::string>;

TEST_CASE("edit_distance: insert, delete, replace and swap count one each") {
  CHECK(edit_distance("copy", "copy") == 0);
  CHECK(edit_distance("COPY", "copy") == 0);
  CHECK(edit_distance("cpoy", "copy") == 1);
  CHECK(edit_distance("copyy", "copy") == 1);
  CHECK(edit_distance("", "copy") == 4);
}

TEST_CASE("suggestions: nearest first, prefixes too, nothing far away") {
  const Names commands = {"copy", "inspect", "login", "logout"};
  CHECK(suggestions("cop", commands) == Names{"copy"});
  CHECK(suggestions("log", commands) == Names{"login", "logout"});
  CHECK(suggestions("logn", commands) == Names{"login"});
  CHECK(suggestions("zebra", commands).empty());
  CHECK(suggestions("", commands).empty());
}

TEST_CASE("suggestions: a very long word is not compared") {
  CHECK(suggestions(std::string(1 << 20, 'x'), Names{"x"}).empty());
}

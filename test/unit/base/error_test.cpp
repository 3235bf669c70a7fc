#include "base/error.hpp"

#include <doctest/doctest.h>
#include <cerrno>

using namespace lade;

TEST_CASE("an error gains contexts from the inside out and prints them from the outside in") {
  try {
    in_context("copying a to b", [] {
      in_context([] { return std::string("writing blob"); }, [] { throw Error(Kind::system, "no space"); });
    });
    FAIL("nothing was thrown");
  } catch (const Error& error) {
    CHECK(std::string(error.what()) == "copying a to b: writing blob: no space");
    CHECK(error.message() == "no space");
    CHECK(error.context() == std::vector<std::string>{"writing blob", "copying a to b"});
  }
}

TEST_CASE("a subclass of Error keeps its type through a context") {
  struct Special : Error {
    Special() : Error(Kind::denied, "special") {}
  };
  CHECK_THROWS_AS(in_context("outer", [] { throw Special(); }), Special);
}

TEST_CASE("in_context passes the result through") {
  CHECK(in_context("x", [] { return 7; }) == 7);
}

TEST_CASE("errno values map to what a caller may do") {
  CHECK(Error::from_errno(ENOENT, "open a").kind() == Kind::not_found);
  CHECK(Error::from_errno(EACCES, "open a").kind() == Kind::denied);
  CHECK(std::string(Error::from_errno(ENOENT, "open a").what()) == "open a: no such file or directory");
}

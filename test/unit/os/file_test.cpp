#include "os/file.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>

#include "support/errors.hpp"
#include "support/streams.hpp"
#include "support/temp_dir.hpp"

using namespace lade;
using namespace lade::os;

TEST_CASE("a descriptor is closed once, and only by its owner") {
  const test::Directory directory;
  UniqueFd first = open_file(directory.path(), O_RDONLY);
  const int number = first.get();
  UniqueFd second = std::move(first);
  CHECK_FALSE(first.is_open());
  CHECK(second.get() == number);
  second.reset();
  CHECK(::fcntl(number, F_GETFD) == -1);
}

TEST_CASE("every open is close-on-exec") {
  const test::Directory directory;
  const UniqueFd parent = open_file(directory.path(), O_RDONLY);
  const UniqueFd child = open_at(parent, "x", O_CREAT | O_WRONLY, 0600);
  const UniqueFd copy = duplicate(child.get());
  const UniqueFd unnamed = open_unnamed(directory.path());
  for (const UniqueFd* fd : {&parent, &child, &copy, &unnamed}) {
    CHECK((::fcntl(fd->get(), F_GETFD) & FD_CLOEXEC) != 0);
  }
}

TEST_CASE("a file that is not there is nullopt for find and an error for read") {
  const test::Directory directory;
  CHECK_FALSE(find_file(directory / "missing", 10).has_value());
  CHECK_FALSE(try_open_file(directory / "missing" / "more", O_RDONLY).has_value());
  CHECK(test::kind_of([&] { (void)read_file(directory / "missing", 10); }) == Kind::not_found);
}

TEST_CASE("a file longer than its limit is refused") {
  const test::Directory directory;
  directory.write("f", "12345");
  CHECK(read_file(directory / "f", 5) == "12345");
  CHECK(test::kind_of([&] { (void)read_file(directory / "f", 4); }) == Kind::invalid_input);
}

TEST_CASE("range readers of one descriptor do not disturb each other") {
  const test::Directory directory;
  directory.write("f", "0123456789");
  const auto fd = std::make_shared<const UniqueFd>(open_file(directory / "f", O_RDONLY));
  RangeReader first(fd, 2, 3);
  RangeReader second(fd, 5, 5);
  std::byte byte{};
  CHECK(first.read({&byte, 1}) == 1);
  CHECK(test::read_text(second) == "56789");
  CHECK(test::read_text(first) == "34");
}

TEST_CASE("a range past the end of the file is an integrity error") {
  const test::Directory directory;
  directory.write("f", "0123");
  RangeReader reader(std::make_shared<const UniqueFd>(open_file(directory / "f", O_RDONLY)), 2, 3);
  CHECK(test::kind_of([&] { io::drain(reader); }) == Kind::integrity);
}

TEST_CASE("mkdir_all makes all parents, minds no existing directory, and refuses a file in the way") {
  const test::Directory directory;
  mkdir_all(directory / "a/b/c");
  mkdir_all(directory / "a/b/c");
  CHECK(std::filesystem::is_directory(directory / "a/b/c"));
  directory.write("file", "");
  CHECK_THROWS_AS(mkdir_all(directory / "file"), Error);
  CHECK_THROWS_AS(mkdir_all(directory / "file/below"), Error);
}

TEST_CASE("an unnamed file holds data and leaves no name") {
  const test::Directory directory;
  const UniqueFd fd = open_unnamed(directory.path());
  write_all(fd, io::as_bytes("hello"));
  CHECK(stat_of(fd).st_size == 5);
  CHECK(directory.snapshot().empty());
}

TEST_CASE("remove_file says whether there was something") {
  const test::Directory directory;
  directory.write("f", "");
  CHECK(remove_file(directory / "f"));
  CHECK_FALSE(remove_file(directory / "f"));
}

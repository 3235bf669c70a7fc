#include "io/stream.hpp"

#include <doctest/doctest.h>

#include <array>

#include "base/error.hpp"
#include "support/streams.hpp"
#include "support/text_writer.hpp"

using namespace lade;
using namespace lade::io;

TEST_CASE("copy moves every byte and counts them") {
  const std::string text = test::random_bytes(3 * chunk_size + 17);
  const auto reader = make_text_reader(text);
  test::TextWriter writer;
  CHECK(copy(*reader, writer) == text.size());
  CHECK(writer.text == text);
}

TEST_CASE("read_all gives a text up to and including its limit") {
  test::SlowReader reader("12345");
  CHECK(read_all(reader, 5, "manifest") == "12345");
}

TEST_CASE("read_all refuses a text that is longer than its limit") {
  const auto reader = make_text_reader("123456");
  CHECK_THROWS_WITH_AS(read_all(*reader, 5, "manifest"), "manifest is larger than 5 bytes", Error);
}

TEST_CASE("read_all with a limit of nothing accepts only nothing") {
  CHECK(read_all(*make_text_reader(""), 0, "body").empty());
  CHECK_THROWS_AS(read_all(*make_text_reader("x"), 0, "body"), Error);
}

TEST_CASE("read_full fills a buffer from small pieces and stops at the end") {
  test::SlowReader reader("abcdefg", 2);
  std::array<std::byte, 5> buffer;
  CHECK(read_full(reader, buffer) == 5);
  CHECK(as_text(buffer) == "abcde");
  CHECK(read_full(reader, buffer) == 2);
}

TEST_CASE("drain reads to the end exactly once") {
  test::SlowReader reader("abc");
  drain(reader);
  CHECK(reader.ends() == 1);
}

TEST_CASE("a failure of the source leaves copy as it is") {
  test::SlowReader reader("abc", 1, true);
  test::TextWriter writer;
  CHECK_THROWS_WITH_AS(copy(reader, writer), "broken", Error);
  CHECK(writer.text == "abc");
}

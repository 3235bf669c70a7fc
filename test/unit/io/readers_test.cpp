#include "io/readers.hpp"

#include <doctest/doctest.h>

#include "support/streams.hpp"
#include "support/text_writer.hpp"

using namespace lade;
using namespace lade::io;

namespace {

class CountingTransfer final : public Transfer {
 public:
  void advance(std::uint64_t bytes) noexcept override { count += bytes; }
  void finish(Outcome) noexcept override {}
  std::uint64_t count = 0;
};

Kind kind_of_failure(Reader& reader) {
  try {
    drain(reader);
  } catch (const Error& error) {
    return error.kind();
  }
  FAIL("nothing was thrown");
  return Kind::system;
}

}  // namespace

TEST_CASE("a verifying reader passes on what matches digest and size") {
  const std::string text = test::random_bytes(10'000);
  for (const std::size_t step : {1UL, 4'096UL, 100'000UL}) {
    test::SlowReader inner(text, step);
    VerifyingReader reader(inner, digest_of(text), text.size());
    CHECK(test::read_text(reader) == text);
  }
}

TEST_CASE("a verifying reader without a size checks the digest alone") {
  test::SlowReader inner("abc");
  VerifyingReader reader(inner, digest_of("abc"), std::nullopt);
  CHECK(test::read_text(reader) == "abc");
}

TEST_CASE("a verifying reader refuses modified, short and long streams") {
  const auto digest = digest_of("abcdef");
  for (const std::string text : {"abcdeX", "abcde", "abcdefg", ""}) {
    CAPTURE(text);
    for (const auto size : {std::optional<std::uint64_t>(6), std::optional<std::uint64_t>()}) {
      test::SlowReader inner(text);
      VerifyingReader reader(inner, digest, size);
      CHECK(kind_of_failure(reader) == Kind::integrity);
    }
  }
}

TEST_CASE("a verifying reader notices bytes beyond the size before they are handed over") {
  test::SlowReader inner(std::string(1000, 'x'), 10);
  VerifyingReader reader(inner, digest_of("x"), 15);
  std::array<std::byte, 10> buffer;
  CHECK(reader.read(buffer) == 10);
  CHECK_THROWS_WITH_AS(reader.read(buffer), "expected 15 bytes, got 20", Error);
}

TEST_CASE("the error of a verifying reader names both digests") {
  test::SlowReader inner("b");
  VerifyingReader reader(inner, digest_of("a"), 1);
  const std::string expected =
      "Digest did not match, expected " + digest_of("a").str() + ", got " + digest_of("b").str();
  CHECK_THROWS_WITH_AS(drain(reader), expected.c_str(), Error);
}

TEST_CASE("a verifying reader uses the algorithm of the expected digest") {
  test::SlowReader inner("abc");
  VerifyingReader reader(inner, digest_of("abc", spec::Digest::Algorithm::sha512), 3);
  CHECK(test::read_text(reader) == "abc");
}

TEST_CASE("a digesting reader knows digest and length of what passed") {
  test::SlowReader inner("abcdef", 4);
  DigestingReader reader(inner);
  CHECK(test::read_text(reader) == "abcdef");
  CHECK(reader.count() == 6);
  CHECK(reader.finish() == digest_of("abcdef"));
}

TEST_CASE("a limited reader passes on exactly its limit and refuses one byte more") {
  test::SlowReader enough("12345");
  LimitedReader fits(enough, 5, "layer");
  CHECK(test::read_text(fits) == "12345");
  test::SlowReader more("123456");
  LimitedReader refused(more, 5, "layer");
  CHECK_THROWS_WITH_AS(drain(refused), "layer is larger than 5 bytes", Error);
}

TEST_CASE("a section reader ends after its size and leaves the rest") {
  test::SlowReader inner("abcdef", 4);
  SectionReader section(inner, 3);
  CHECK(test::read_text(section) == "abc");
  CHECK(section.left() == 0);
  CHECK(test::read_text(inner) == "def");
}

TEST_CASE("a section reader refuses a stream that ends early") {
  test::SlowReader inner("ab");
  SectionReader section(inner, 3);
  CHECK(kind_of_failure(section) == Kind::integrity);
}

TEST_CASE("a section of nothing never touches the stream") {
  test::SlowReader inner("", 1, true);
  SectionReader section(inner, 0);
  CHECK(test::read_text(section).empty());
}

TEST_CASE("a tee reader copies what passes") {
  test::SlowReader inner("abcdef", 4);
  test::TextWriter copy;
  TeeReader reader(inner, copy);
  CHECK(test::read_text(reader) == "abcdef");
  CHECK(copy.text == "abcdef");
}

TEST_CASE("a progress reader reports every byte") {
  test::SlowReader inner("abcdef", 4);
  CountingTransfer transfer;
  const Context context = background();
  ProgressReader reader(inner, context, transfer);
  drain(reader);
  CHECK(transfer.count == 6);
}

TEST_CASE("a progress reader throws Cancelled once its context is stopped") {
  test::SlowReader inner("abcdef");
  CountingTransfer transfer;
  std::stop_source stop;
  const Context context = background().with_stop(stop.get_token());
  ProgressReader reader(inner, context, transfer);
  std::array<std::byte, 1> buffer;
  CHECK(reader.read(buffer) == 1);
  stop.request_stop();
  CHECK_THROWS_AS(reader.read(buffer), Cancelled);
  CHECK(transfer.count == 1);
}

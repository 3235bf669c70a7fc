#include <doctest/doctest.h>

#include <atomic>
#include <filesystem>

#include "io/codec/codec.hpp"
#include "io/codec/gzip_compressor.hpp"
#include "io/codec/gzip_inflater.hpp"
#include "support/streams.hpp"
#include "support/text_writer.hpp"

using namespace lade;
using namespace lade::io;

namespace {

constexpr std::size_t mebibyte = 1024 * 1024;

std::string packed(const std::string& text, const CompressOptions& options, std::size_t step = 1'000'000) {
  const auto reader = compress(std::make_unique<test::SlowReader>(text, step), options);
  return test::read_text(*reader);
}

std::string decompressed(const std::string& text, Compression compression) {
  return test::read_text(*decompress(make_text_reader(text), compression));
}

std::size_t thread_count() {
  const auto tasks = std::filesystem::directory_iterator("/proc/self/task");
  return static_cast<std::size_t>(std::distance(begin(tasks), end(tasks)));
}

// Counts how far ahead of its consumer it was read.
class EndlessReader final : public Reader {
 public:
  explicit EndlessReader(std::atomic<std::uint64_t>& given) : given_(given) {}
  std::size_t read(Buffer buffer) override {
    for (auto& byte : buffer) byte = static_cast<std::byte>((state_ = state_ * 1664525 + 1013904223) >> 24);
    given_ += buffer.size();
    return buffer.size();
  }

 private:
  std::atomic<std::uint64_t>& given_;
  std::uint32_t state_ = 1;
};

}  // namespace

TEST_CASE("compressed text comes back, at the sizes around the blocks") {
  for (const auto format : {Compression::gzip, Compression::zstd}) {
    for (const std::size_t size : {0UL, 1UL, mebibyte - 1, mebibyte, mebibyte + 1, 3 * mebibyte + 7}) {
      const std::string text = test::random_bytes(size, 9, 40);
      for (const unsigned threads : {1U, 3U}) {
        CAPTURE(size);
        CHECK(decompressed(packed(text, {format, {}, threads}), format) == text);
      }
    }
  }
}

TEST_CASE("no compression passes bytes through") {
  CHECK(packed("abc", {Compression::none, {}, 1}) == "abc");
}

TEST_CASE("compressing text makes it smaller") {
  const std::string text = test::random_bytes(2 * mebibyte, 9, 16);
  for (const auto format : {Compression::gzip, Compression::zstd}) {
    CHECK(packed(text, {format, {}, 2}).size() < text.size() * 6 / 10);
  }
}

TEST_CASE("the output does not depend on the number of threads or on how the input is cut") {
  const std::string text = test::random_bytes(21 * mebibyte, 11, 64);
  for (const auto format : {Compression::gzip, Compression::zstd}) {
    const std::string reference = packed(text, {format, 1, 1});
    for (const unsigned threads : {0U, 2U, 5U}) {
      CAPTURE(threads);
      CHECK((packed(text, {format, 1, threads}, 77'777) == reference));
    }
  }
}

TEST_CASE("zstd: the output of inputs around the size where threads begin does not depend on their number") {
  for (const std::size_t size : {mebibyte - 1, mebibyte, mebibyte + 1}) {
    const std::string text = test::random_bytes(size, 13, 64);
    const CompressOptions one{Compression::zstd, 3, 1}, many{Compression::zstd, 3, 8};
    CHECK((packed(text, one, 1'000) == packed(text, many)));
  }
}

TEST_CASE("a level changes the output and the default is 6 for gzip and 3 for zstd") {
  const std::string text = test::random_bytes(200'000, 17, 20);
  CHECK(packed(text, {Compression::gzip, {}, 1}) == packed(text, {Compression::gzip, usual_gzip_level, 1}));
  CHECK(packed(text, {Compression::zstd, {}, 1}) == packed(text, {Compression::zstd, 3, 1}));
  CHECK(packed(text, {Compression::gzip, 1, 1}) != packed(text, {Compression::gzip, 9, 1}));
}

TEST_CASE("levels out of range are refused") {
  for (const int level : {-1, 0, 10}) {
    CHECK_THROWS_AS(compress(make_text_reader("a"), {Compression::gzip, level, 1}), Error);
  }
  for (const int level : {-1, 0, 21}) {
    CHECK_THROWS_AS(compress(make_text_reader("a"), {Compression::zstd, level, 1}), Error);
  }
  CHECK_THROWS_WITH_AS(compress(make_text_reader("a"), {Compression::gzip, 10, 1}),
                       "compression level 10 is out of range for gzip: 1 to 9", Error);
}

TEST_CASE("every level works") {
  const std::string text = test::random_bytes(50'000, 19, 20);
  for (int level = 1; level <= 20; ++level) {
    CAPTURE(level);
    CHECK(decompressed(packed(text, {Compression::zstd, level, 1}), Compression::zstd) == text);
    if (level > 9) continue;
    CHECK(decompressed(packed(text, {Compression::gzip, level, 1}), Compression::gzip) == text);
  }
}

TEST_CASE("xz and bzip2 cannot be written") {
  for (const auto format : {Compression::xz, Compression::bzip2}) {
    try {
      compress(make_text_reader("a"), {format, {}, 1});
      FAIL("nothing was thrown");
    } catch (const Error& error) {
      CHECK(error.kind() == Kind::unsupported);
    }
  }
}

TEST_CASE("small inputs start no threads") {
  const std::size_t before = thread_count();
  const std::string text = test::random_bytes(mebibyte - 1, 23, 20);
  for (const auto format : {Compression::gzip, Compression::zstd}) {
    const auto reader = compress(make_text_reader(text), {format, {}, 8});
    std::array<std::byte, 100> buffer;
    CHECK(reader->read(buffer) > 0);
    CHECK(thread_count() == before);
  }
}

TEST_CASE("the compressor reads no further ahead than its threads need") {
  std::atomic<std::uint64_t> given{0};
  const auto reader = compress(std::make_unique<EndlessReader>(given), {Compression::gzip, 1, 3});
  std::array<std::byte, 1'000> buffer;
  for (int i = 0; i < 50; ++i) CHECK(reader->read(buffer) > 0);
  CHECK(given <= 5 * mebibyte);
}

TEST_CASE("a failure of the source passes through the compressor as it is") {
  for (const auto format : {Compression::gzip, Compression::zstd}) {
    for (const std::size_t size : {100UL, 3 * mebibyte}) {
      auto source = std::make_unique<test::SlowReader>(test::random_bytes(size), 100'000, true);
      const auto reader = compress(std::move(source), {format, {}, 2});
      CHECK_THROWS_WITH_AS(drain(*reader), "broken", Error);
    }
  }
}

TEST_CASE("the compressor reads the end of its source only once") {
  for (const auto format : {Compression::gzip, Compression::zstd}) {
    for (const std::size_t size : {0UL, 10UL, mebibyte, 3 * mebibyte, 3 * mebibyte + 1}) {
      for (const unsigned threads : {1U, 2U}) {
        CAPTURE(size);
        auto source = std::make_unique<test::SlowReader>(std::string(size, 'x'), 100'000);
        const auto* watched = source.get();
        const auto reader = compress(std::move(source), {format, {}, threads});
        drain(*reader);
        CHECK(watched->ends() == 1);
      }
    }
  }
}

TEST_CASE("zlib reads what the gzip compressor wrote") {
  const std::string text = test::random_bytes(3 * mebibyte, 29, 50);
  const auto reader =
      make_gzip_reader(make_text_reader(packed(text, {Compression::gzip, 6, 2})), make_zlib_inflater());
  CHECK((test::read_text(*reader) == text));
}

TEST_CASE("a pushed gzip stream comes back, empty and over several members") {
  for (const std::size_t size : {std::size_t{0}, std::size_t{1}, mebibyte, 2 * mebibyte + 7}) {
    CAPTURE(size);
    const std::string text = test::random_bytes(size, 1, 16);
    test::TextWriter out;
    GzipWriter writer(out, 1);
    const auto bytes = as_bytes(text);
    writer.write(bytes.first(size / 3));
    writer.write(bytes.subspan(size / 3));
    writer.finish();
    CHECK(out.text.size() >= 18);
    CHECK((decompressed(out.text, Compression::gzip) == text));
  }
}

#include "io/codec/codec.hpp"

#include <archive.h>
#include <archive_entry.h>
#include <doctest/doctest.h>
#include <zstd.h>

#include "support/streams.hpp"

using namespace lade;
using namespace lade::io;

namespace {

const std::string sample = test::random_bytes(300'000, 5, 30);

// By libarchive's writer: xz and bzip2 exist here only to be read.
std::string packed(const std::string& text, Compression compression) {
  std::string out(text.size() + 100'000, '\0');
  std::size_t used = 0;
  archive* handle = archive_write_new();
  archive_write_add_filter(handle, compression == Compression::xz ? ARCHIVE_FILTER_XZ : ARCHIVE_FILTER_BZIP2);
  archive_write_set_format_raw(handle);
  archive_write_set_bytes_in_last_block(handle, 1);
  REQUIRE(archive_write_open_memory(handle, out.data(), out.size(), &used) == ARCHIVE_OK);
  archive_entry* entry = archive_entry_new();
  archive_entry_set_filetype(entry, AE_IFREG);
  REQUIRE(archive_write_header(handle, entry) == ARCHIVE_OK);
  REQUIRE(archive_write_data(handle, text.data(), text.size()) == static_cast<la_ssize_t>(text.size()));
  archive_entry_free(entry);
  REQUIRE(archive_write_close(handle) == ARCHIVE_OK);
  archive_write_free(handle);
  return out.substr(0, used);
}

std::string zstd_frame(const std::string& text, int window_log = 0) {
  ZSTD_CCtx* context = ZSTD_createCCtx();
  ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1);
  ZSTD_CCtx_setParameter(context, ZSTD_c_windowLog, window_log);
  std::string out(ZSTD_compressBound(text.size()), '\0');
  ZSTD_inBuffer in{text.data(), text.size(), 0};
  ZSTD_outBuffer buffer{out.data(), out.size(), 0};
  // Not pledged beforehand: the window stays as asked.
  REQUIRE(!ZSTD_isError(ZSTD_compressStream2(context, &buffer, &in, ZSTD_e_continue)));
  REQUIRE(ZSTD_compressStream2(context, &buffer, &in, ZSTD_e_end) == 0);
  ZSTD_freeCCtx(context);
  return out.substr(0, buffer.pos);
}

std::string unpacked(const std::string& text, Compression compression, std::size_t step = 1'000'000) {
  const auto reader = decompress(std::make_unique<test::SlowReader>(text, step), compression);
  return test::read_text(*reader);
}

std::optional<Kind> failure(const std::string& text, Compression compression) {
  try {
    unpacked(text, compression);
  } catch (const Error& error) {
    return error.kind();
  }
  return std::nullopt;
}

}  // namespace

TEST_CASE("the names of compressions go both ways") {
  for (const auto one :
       {Compression::none, Compression::gzip, Compression::zstd, Compression::xz, Compression::bzip2}) {
    CHECK(compression_by_name(name_of(one)) == one);
  }
  CHECK(compression_by_name("zstd:chunked") == std::nullopt);
  CHECK(compression_by_name("") == std::nullopt);
}

TEST_CASE("compression is detected by magic bytes") {
  CHECK(detect_compression(as_bytes("\x1f\x8b\x08 and more")) == Compression::gzip);
  CHECK(detect_compression(as_bytes("\x28\xb5\x2f\xfd....")) == Compression::zstd);
  CHECK(detect_compression(as_bytes(packed("a", Compression::xz))) == Compression::xz);
  CHECK(detect_compression(as_bytes("BZh91AY")) == Compression::bzip2);
  CHECK(detect_compression(as_bytes("\x1f\x8b")) == Compression::none);
  CHECK(detect_compression(as_bytes("")) == Compression::none);
  CHECK(detect_compression(as_bytes("etc/passwd")) == Compression::none);
}

TEST_CASE("detect gives back every byte, of short streams too") {
  for (const std::string text : {"", "B", "BZh91", "BZh91AY", "\x1f\x8b\x08 and more of the stream"}) {
    CAPTURE(text);
    auto [reader, compression] = detect(std::make_unique<test::SlowReader>(text));
    CHECK(compression == detect_compression(as_bytes(text)));
    CHECK(test::read_text(*reader) == text);
  }
}

TEST_CASE("no compression passes bytes through") {
  CHECK(unpacked(sample, Compression::none) == sample);
}

TEST_CASE("xz and bzip2 streams are decoded however they are cut") {
  for (const auto compression : {Compression::xz, Compression::bzip2}) {
    const std::string text = packed(sample, compression);
    for (const std::size_t step : {1UL, 1'000UL, 1'000'000UL}) {
      CAPTURE(step);
      CHECK(unpacked(text, compression, step) == sample);
    }
    CHECK(unpacked(packed("", compression), compression).empty());
    CHECK(unpacked(text + text, compression) == sample + sample);
  }
}

TEST_CASE("xz and bzip2: only one layer of compression is taken off") {
  for (const auto compression : {Compression::xz, Compression::bzip2}) {
    const std::string once = packed(sample, compression);
    CHECK(unpacked(packed(once, compression), compression) == once);
  }
}

TEST_CASE("xz and bzip2: cut, corrupt and foreign streams are refused") {
  for (const auto compression : {Compression::xz, Compression::bzip2}) {
    const std::string text = packed(sample, compression);
    for (const std::size_t size : {4UL, 20UL, text.size() / 2, text.size() - 1}) {
      CAPTURE(size);
      CHECK(failure(text.substr(0, size), compression) == Kind::integrity);
    }
    std::string corrupt = text;
    corrupt[text.size() / 2] ^= 4;
    CHECK(failure(corrupt, compression) == Kind::integrity);
    CHECK(failure("something else entirely", compression) == Kind::integrity);
  }
}

TEST_CASE("xz: a failure of the source passes through as it is") {
  const std::string half = packed(sample, Compression::xz).substr(0, 3'000);
  const auto reader = decompress(std::make_unique<test::SlowReader>(half, 100, true), Compression::xz);
  CHECK_THROWS_WITH_AS(drain(*reader), "broken", Error);
}

TEST_CASE("zstd frames are decoded, several in a row, empty and skippable ones too") {
  const std::string skippable("\x50\x2a\x4d\x18\x03\0\0\0abc", 11);
  for (const std::size_t step : {1UL, 1'000UL, 1'000'000UL}) {
    CAPTURE(step);
    CHECK(unpacked(zstd_frame(sample), Compression::zstd, step) == sample);
    const std::string several = zstd_frame("") + zstd_frame("a") + skippable + zstd_frame(sample) + skippable;
    CHECK(unpacked(several, Compression::zstd, step) == "a" + sample);
  }
}

TEST_CASE("zstd: a stream cut at any byte is refused") {
  const std::string whole = zstd_frame(sample.substr(0, 300));
  for (std::size_t size = 0; size < whole.size(); ++size) {
    CAPTURE(size);
    CHECK(failure(whole.substr(0, size), Compression::zstd) == Kind::integrity);
  }
}

TEST_CASE("zstd: corrupt data, wrong checksums and trailing garbage are refused") {
  std::string checksum = zstd_frame(sample);
  checksum.back() ^= 1;
  CHECK(failure(checksum, Compression::zstd) == Kind::integrity);
  CHECK(failure(zstd_frame("a") + "garbage", Compression::zstd) == Kind::integrity);
  CHECK(failure(zstd_frame("a") + std::string(9, '\0'), Compression::zstd) == Kind::integrity);
}

TEST_CASE("zstd: a window of 128 MiB is accepted, a larger one refused") {
  CHECK(unpacked(zstd_frame("a", 27), Compression::zstd) == "a");
  CHECK(failure(zstd_frame("a", 28), Compression::zstd) == Kind::integrity);
}

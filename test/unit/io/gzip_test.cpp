// The gzip reader, on each of its inflaters.
#include <doctest/doctest.h>
#include <zlib.h>

#include <functional>
#include <vector>

#include "io/codec/codec.hpp"
#include "io/codec/gzip_inflater.hpp"
#include "support/streams.hpp"

using namespace lade;
using namespace lade::io;

namespace {

struct Header {
  std::string extra, name, comment;
  bool crc = false;
};

// One member made by zlib; with a header of RFC 1952's optional fields.
std::string member(std::string text, const Header& header = {}, int level = 6) {
  z_stream stream{};
  REQUIRE(deflateInit2(&stream, level, Z_DEFLATED, MAX_WBITS + 16, 8, Z_DEFAULT_STRATEGY) == Z_OK);
  gz_header fields{};
  Header copy = header;
  fields.hcrc = header.crc ? 1 : 0;
  fields.extra = copy.extra.empty() ? nullptr : reinterpret_cast<Bytef*>(copy.extra.data());
  fields.extra_len = static_cast<uInt>(copy.extra.size());
  fields.name = copy.name.empty() ? nullptr : reinterpret_cast<Bytef*>(copy.name.data());
  fields.comment = copy.comment.empty() ? nullptr : reinterpret_cast<Bytef*>(copy.comment.data());
  REQUIRE(deflateSetHeader(&stream, &fields) == Z_OK);
  std::string out(deflateBound(&stream, text.size()) + 70'000, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(text.data());
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  REQUIRE(deflate(&stream, Z_FINISH) == Z_STREAM_END);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

std::vector<std::function<std::unique_ptr<GzipInflater>()>> inflaters() {
  std::vector<std::function<std::unique_ptr<GzipInflater>()>> all{make_zlib_inflater};
  if (make_isal_inflater()) all.emplace_back(make_isal_inflater);
  return all;
}

std::string read_in_steps(Reader& reader, std::size_t step) {
  std::string text;
  std::vector<std::byte> buffer(step);
  while (const std::size_t count = reader.read(buffer)) text += as_text(Bytes(buffer).first(count));
  return text;
}

// Through every inflater, with the input and the output cut in several ways.
void check_inflates(const std::string& compressed, const std::string& expected) {
  for (const auto& make : inflaters()) {
    for (const std::size_t step : {1UL, 7UL, 1'000UL, 65'536UL}) {
      CAPTURE(step);
      const auto slow_in = make_gzip_reader(std::make_unique<test::SlowReader>(compressed, step), make());
      CHECK(test::read_text(*slow_in) == expected);
      const auto slow_out = make_gzip_reader(make_text_reader(compressed), make());
      CHECK(read_in_steps(*slow_out, step) == expected);
    }
  }
}

void check_refused(const std::string& compressed, const char* message) {
  for (const auto& make : inflaters()) {
    for (const std::size_t step : {1UL, 1'000'000UL}) {
      const auto reader = make_gzip_reader(std::make_unique<test::SlowReader>(compressed, step), make());
      CHECK_THROWS_WITH_AS(drain(*reader), message, Error);
    }
  }
}

const std::string gzip_sample = test::random_bytes(100'000, 3, 20);

}  // namespace

TEST_CASE("gzip: one member is inflated however its input and output are cut") {
  check_inflates(member(gzip_sample), gzip_sample);
  check_inflates(member("a"), "a");
}

TEST_CASE("gzip: stored and incompressible data are inflated") {
  const std::string noise = test::random_bytes(150'000);
  check_inflates(member(noise, {}, 0), noise);
  check_inflates(member(noise), noise);
}

TEST_CASE("gzip: long runs of one byte are inflated") {
  const std::string zeros(400'000, '\0');
  check_inflates(member(zeros), zeros);
}

TEST_CASE("gzip: several members give their texts in a row") {
  check_inflates(member("one, ") + member(gzip_sample) + member("three"), "one, " + gzip_sample + "three");
}

TEST_CASE("gzip: empty members give nothing, alone, in the middle and at the end") {
  check_inflates(member(""), "");
  check_inflates(member("") + member("a") + member("") + member("") + member("b") + member(""), "ab");
}

TEST_CASE("gzip: every optional header field is skipped") {
  const std::string extra(60'000, 'e'), name(5'000, 'n'), comment(5'000, 'c');
  check_inflates(member("x", {"abc", "", "", false}), "x");
  check_inflates(member("x", {"", "file.tar", "", false}), "x");
  check_inflates(member("x", {"", "", "words", false}), "x");
  check_inflates(member("x", {"", "", "", true}), "x");
  const Header full{extra, name, comment, true};
  check_inflates(member("x", full) + member("y", full), "xy");
}

TEST_CASE("gzip: a header whose own checksum is wrong is refused") {
  std::string text = member("x", {"", "file", "", true});
  text[10] = 'F';
  check_refused(text, "gzip: invalid header");
}

TEST_CASE("gzip: a header of another method or with reserved flags is refused") {
  std::string method = member("x");
  method[2] = 7;
  check_refused(method, "gzip: invalid header");
  std::string flags = member("x");
  flags[3] = static_cast<char>(0x80);
  check_refused(flags, "gzip: invalid header");
  check_refused("this is not gzip", "gzip: invalid header");
}

TEST_CASE("gzip: a stream cut at any byte is refused") {
  const std::string whole =
      member(gzip_sample.substr(0, 500), {"extra", "name", "comment", true}) + member("second");
  const std::size_t first = member(gzip_sample.substr(0, 500), {"extra", "name", "comment", true}).size();
  for (std::size_t size = 0; size < whole.size(); ++size) {
    if (size == first) continue;  // the end of a member is a good end
    CAPTURE(size);
    check_refused(whole.substr(0, size), "gzip: unexpected end of the stream");
  }
}

TEST_CASE("gzip: a wrong checksum or length in the trailer is refused") {
  for (std::size_t from_end = 1; from_end <= 8; ++from_end) {
    CAPTURE(from_end);
    std::string text = member(gzip_sample);
    text[text.size() - from_end] ^= 1;
    check_refused(text, "gzip: invalid checksum");
    check_refused(member("ok") + text + member("ok"), "gzip: invalid checksum");
  }
}

TEST_CASE("gzip: corrupt deflate data is refused") {
  std::string text = member("some words");
  text[10] = 7;  // block type 3 does not exist
  check_refused(text, "gzip: corrupt deflate data");
}

TEST_CASE("gzip: zeros after the last member are ignored, however many") {
  check_inflates(member("a") + std::string(1, '\0'), "a");
  check_inflates(member("a") + member("b") + std::string(600'000, '\0'), "ab");
}

TEST_CASE("gzip: any other trailing bytes are refused") {
  check_refused(member("a") + "garbage", "gzip: invalid header");
  check_refused(member("a") + std::string(10, '\0') + "garbage", "gzip: invalid header");
  check_refused(member("a") + std::string(3, '\0') + member("b"), "gzip: invalid header");
}

TEST_CASE("gzip: a failure of the source passes through as it is") {
  for (const auto& make : inflaters()) {
    const std::string half = member(gzip_sample).substr(0, 1'000);
    const auto reader = make_gzip_reader(std::make_unique<test::SlowReader>(half, 100, true), make());
    CHECK_THROWS_WITH_AS(drain(*reader), "broken", Error);
  }
}

TEST_CASE("gzip: the end of the source is read only once") {
  for (const auto& make : inflaters()) {
    auto source = std::make_unique<test::SlowReader>(member("a") + std::string(5, '\0'), 3);
    const auto* watched = source.get();
    const auto reader = make_gzip_reader(std::move(source), make());
    drain(*reader);
    CHECK(watched->ends() == 1);
  }
}

namespace {

// The text, or the words of the failure.
std::string outcome(const std::string& compressed, std::unique_ptr<GzipInflater> inflater, std::size_t step) {
  const auto reader =
      make_gzip_reader(std::make_unique<test::SlowReader>(compressed, step), std::move(inflater));
  try {
    return "text " + test::read_text(*reader);
  } catch (const Error& error) {
    return std::string("error");
  }
}

}  // namespace

TEST_CASE("gzip: ISA-L and zlib agree on what is valid and what it means") {
  if (!make_isal_inflater()) return;
  const std::string whole = member(gzip_sample.substr(0, 3'000)) + member("tail");
  for (std::size_t i = 0; i < whole.size(); ++i) {
    std::string broken = whole;
    broken[i] ^= static_cast<char>(1 << i % 8);
    CAPTURE(i);
    CHECK(outcome(broken, make_isal_inflater(), 64) == outcome(broken, make_zlib_inflater(), 64));
  }
}

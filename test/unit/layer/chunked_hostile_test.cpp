// TOCs, positions and contents that lie.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include "chunked_fixture.hpp"
#include "io/codec/zstd_frames.hpp"
#include "support/errors.hpp"

using namespace lade;
using namespace lade::layer;
using test::ChunkedBlob;
using test::KnownContents;
using test::TarBuilder;

namespace {

const std::string some_digest = "sha256:" + std::string(64, 'a');

// The error's text, "" if there is none.
std::string fault_of(const std::string& toc, std::uint64_t blob_end = 1'000'000) {
  try {
    parse_toc(toc, blob_end, [](TocFile&&) {});
  } catch (const Error& error) {
    CHECK(error.kind() == Kind::invalid_input);
    return error.what();
  }
  return "";
}

std::string toc_of(const std::string& entries) {
  return R"({"version":1,"entries":[)" + entries + "]}";
}

std::string file(const std::string& members) {
  return fmt::format(R"({{"type":"reg","name":"a","digest":"{}",{}}})", some_digest, members);
}

std::string chunk(const std::string& members) {
  return fmt::format(R"(,{{"type":"chunk","name":"a","chunkDigest":"{}",{}}})", some_digest, members);
}

std::string first_chunk(const std::string& members) {
  return file(fmt::format(R"("chunkDigest":"{}",{})", some_digest, members));
}

spec::Annotations position(const std::string& toc, const std::string& tar_split = "") {
  return {{std::string(chunked_annotation::toc_position), toc},
          {std::string(chunked_annotation::tar_split_position), tar_split}};
}

bool is_refused(const spec::Annotations& annotations) {
  return test::kind_of([&] { find_toc_position(annotations); }) == Kind::invalid_input;
}

// One file of two chunks behind its header.
ChunkedBlob two_chunks() {
  return ChunkedBlob(TarBuilder().file("a", std::string(2000, '\0') + "xyz").file("b", "bcd").finish());
}

std::string pulled(const ChunkedBlob& blob, const std::vector<TocFile>& files,
                   const KnownContents& known = {}) {
  return test::assembled(blob, test::plan_of(files, known), known);
}

Kind kind_of_pull(const ChunkedBlob& blob, const std::vector<TocFile>& files,
                  const KnownContents& known = {}) {
  return test::kind_of([&] { pulled(blob, files, known); });
}

}  // namespace

TEST_CASE("positions of a TOC that cannot be are refused") {
  CHECK(find_toc_position(position("10:20:30:1", "38:5:6"))->tar_split == TocPart{38, 5, 6});
  CHECK_FALSE(find_toc_position({}));
  for (const char* text :
       {"10:20:30", "10:20:30:1:1", "10:20:30:2", "-10:20:30:1", "10:20:30:1 ", "x", "10::30:1", "0:20:30:1",
        "10:0:30:1", "10:20:0:1", "10:99999999:30:1", "10:20:99999999:1", "18446744073709551615:20:30:1",
        "99999999999999999999999:20:30:1"}) {
    CAPTURE(text);
    CHECK(is_refused(position(text)));
  }
  CHECK(is_refused(position("10:20:30:1", "38:5")));
  CHECK(is_refused(position("10:20:30:1", "38:5:99999999")));
}

TEST_CASE("a TOC lies in the blob, and the tar-split behind it") {
  const auto check = [](const char* toc, const char* split, std::uint64_t size) {
    check_toc_position(*find_toc_position(position(toc, split)), size);
  };
  check("10:20:30:1", "38:5:6", 43);
  CHECK(test::kind_of([&] { check("10:20:30:1", "38:5:6", 42); }) == Kind::invalid_input);
  CHECK(test::kind_of([&] { check("10:20:30:1", "", 29); }) == Kind::invalid_input);
  CHECK(test::kind_of([&] { check("10:20:30:1", "29:5:6", 100); }) == Kind::invalid_input);
  CHECK(test::kind_of([&] { check("9223372036854775807:20:30:1", "", 100); }) == Kind::invalid_input);
}

TEST_CASE("a footer without its magic, or of another type, is none") {
  const TocPosition position{{10, 20, 30}, TocPart{38, 5, 6}};
  std::string footer = format_toc_footer(position);
  CHECK(parse_toc_footer(io::as_bytes(footer)) == position);
  const auto refused = [](const std::string& text) {
    return test::kind_of([&] { parse_toc_footer(io::as_bytes(text)); }) == Kind::invalid_input;
  };
  CHECK(refused(footer.substr(1)));
  CHECK(refused(footer.substr(0, 63) + "y"));
  footer[24] = 2;
  CHECK(refused(footer));
}

TEST_CASE("a TOC's digest has to be a sha256 and to match") {
  const auto of = [](const std::string& text) {
    return find_toc_digest({{std::string(chunked_annotation::toc_digest), text}});
  };
  CHECK(of(some_digest)->str() == some_digest);
  CHECK(test::kind_of([&] { of("sha256:x"); }) == Kind::invalid_input);
  CHECK(test::kind_of([&] { of("sha512:" + std::string(128, 'a')); }) == Kind::invalid_input);
  const ChunkedBlob blob = two_chunks();
  const auto packed = blob.part(blob.position().toc);
  const auto digest = *find_toc_digest(blob.annotations);
  const auto size = blob.position().toc.plain_size;
  CHECK(test::kind_of([&] { unpack_toc(packed + "x", digest, size); }) == Kind::integrity);
  CHECK(test::kind_of([&] { unpack_toc(packed, digest, size - 1); }) == Kind::invalid_input);
  CHECK(test::kind_of([&] { unpack_toc(packed, digest, size + 1); }) == Kind::invalid_input);
}

TEST_CASE("a TOC that is no TOC is refused") {
  CHECK(fault_of(toc_of("")) == "");
  CHECK(fault_of(
            R"({"other":[{"x":[]}],"version":1,"entries":[{"type":"dir","name":"d","xattrs":{"a":"b"}}]})") ==
        "");
  for (const char* text : {"",
                           "[]",
                           "1",
                           "{}",
                           R"({"version":1})",
                           R"({"version":2,"entries":[]})",
                           R"({"entries":[]})",
                           R"({"version":1,"entries":{}})",
                           R"({"version":1,"entries":[1]})",
                           R"({"version":1,"entries":[[]]})",
                           R"({"version":1,"entries":[],"entries":[]})",
                           R"({"version":"1","entries":[]})",
                           R"({"version":1,"entries":[]} x)",
                           R"({"version":1,"entries":[)",
                           R"({"version":1,"entries":null})",
                           R"({"version":1,"entries":[],"tarSplitDigest":"x"})",
                           R"({"version":1,"entries":[],"tarSplitDigest":7})",
                           R"({"version":1,"entries":[{"name":7}]})",
                           R"({"version":1,"entries":[{"size":"7"}]})",
                           R"({"version":1,"entries":[{"size":-1}]})",
                           R"({"version":1,"entries":[{"size":1.5}]})",
                           R"({"version":1,"entries":[{"offset":9223372036854775808}]})"}) {
    CAPTURE(text);
    CHECK(fault_of(text).starts_with("invalid TOC: "));
  }
  const std::string deep(100, '[');
  CHECK(fault_of(R"({"x":)" + deep).starts_with("invalid TOC: it is nested too deep"));
  CHECK(fault_of(toc_of(
            file(R"("size":1,"offset":1,"endOffset":9,"name":")" + std::string(70'000, 'n') + '"'))) != "");
  CHECK(fault_of(std::string(max_toc_size + 1, ' ')) == "invalid TOC: it is larger than 50 MiB");
}

TEST_CASE("files lie in the blob, in front of the TOC") {
  CHECK(fault_of(toc_of(file(R"("size":5,"offset":10,"endOffset":20)")), 20) == "");
  CHECK(fault_of(toc_of(file(R"("size":5,"offset":10,"endOffset":20)")), 19) != "");
  CHECK(fault_of(toc_of(file(R"("size":5,"offset":10,"endOffset":10)"))) != "");
  CHECK(fault_of(toc_of(file(R"("size":5,"offset":10)"))) != "");
  CHECK(fault_of(toc_of(file(R"("size":5,"endOffset":10)"))) != "");
  CHECK(fault_of(toc_of(R"({"type":"reg","name":"a","size":5,"offset":10,"endOffset":20})")) != "");
  CHECK(fault_of(toc_of(
            R"({"type":"reg","name":"a","size":5,"offset":10,"endOffset":20,"digest":"md5:1"})")) != "");
}

TEST_CASE("chunks follow one another, and add up to their file") {
  const auto two = [](const std::string& first, const std::string& second) {
    return fault_of(toc_of(first_chunk(R"("size":9,"endOffset":30,)" + first) + chunk(second)));
  };
  CHECK(two(R"("offset":10,"chunkSize":4)", R"("offset":20,"chunkSize":5,"chunkOffset":4)") == "");
  CHECK(two(R"("offset":10,"chunkSize":4)",
            R"("offset":20,"chunkSize":5,"chunkOffset":4,"chunkType":"zeros")") == "");
  CHECK(two(R"("offset":10,"chunkSize":4)",
            R"("offset":20,"chunkSize":5,"chunkOffset":4,"chunkType":"odd")") != "");
  CHECK(two(R"("offset":10,"chunkSize":4)", R"("offset":20,"chunkSize":4,"chunkOffset":4)") != "");
  CHECK(two(R"("offset":10,"chunkSize":4)", R"("offset":20,"chunkSize":6,"chunkOffset":4)") != "");
  CHECK(two(R"("offset":10,"chunkSize":4)", R"("offset":20,"chunkSize":5,"chunkOffset":3)") != "");
  CHECK(two(R"("offset":10,"chunkSize":4)", R"("offset":10,"chunkSize":5,"chunkOffset":4)") != "");
  CHECK(two(R"("offset":10,"chunkSize":4)", R"("offset":30,"chunkSize":5,"chunkOffset":4)") != "");
  CHECK(two(R"("offset":10,"chunkSize":9)", R"("offset":20,"chunkOffset":9)") != "");
  CHECK(fault_of(toc_of(first_chunk(R"("size":9,"offset":10,"endOffset":30)") +
                        chunk(R"("offset":20,"chunkSize":9)"))) != "");
  CHECK(fault_of(toc_of(chunk(R"("offset":20,"chunkSize":9)").substr(1))) != "");
  CHECK(fault_of(toc_of(file(R"("size":0)") + chunk(R"("offset":20,"chunkSize":9)"))) != "");
  CHECK(fault_of(toc_of(R"({"type":"reg","name":"b","size":9},)" +
                        chunk(R"("offset":20,"chunkSize":9)").substr(1))) != "");
}

TEST_CASE("no chunk is larger than zstd could make it of its bytes") {
  CHECK(fault_of(toc_of(file(R"("size":327680,"offset":10,"endOffset":20)"))) == "");
  CHECK(fault_of(toc_of(file(R"("size":500000,"offset":10,"endOffset":20)"))) != "");
  CHECK(fault_of(toc_of(
            file(R"("size":9000000000000000000,"offset":10,"endOffset":20,"chunkType":"zeros")"))) != "");
}

TEST_CASE("ranges that are near are one, and no more than so many are asked for") {
  const std::vector<io::ByteRange> ranges{{10, 10}, {25, 5}, {100, 10}, {112, 8}, {500, 1}};
  CHECK(join_ranges(ranges, {.gap = 0}) == ranges);
  CHECK(join_ranges(ranges, {.gap = 5}) == std::vector<io::ByteRange>{{10, 20}, {100, 20}, {500, 1}});
  CHECK(join_ranges(ranges, {.gap = 0, .ranges = 4}).size() == 4);
  CHECK(join_ranges(ranges, {.gap = 0, .ranges = 2}) == std::vector<io::ByteRange>{{10, 110}, {500, 1}});
  CHECK(join_ranges(ranges, {.gap = 0, .ranges = 1}) == std::vector<io::ByteRange>{{10, 491}});
  CHECK(join_ranges({}, {}).empty());
}

TEST_CASE("files out of order, or two of one name, cannot be planned") {
  auto files = two_chunks().files();
  std::swap(files[0], files[1]);
  CHECK(test::kind_of([&] { test::plan_of(files, KnownContents()); }) == Kind::invalid_input);
  files = two_chunks().files();
  files[1].name = files[0].name;
  CHECK(test::kind_of([&] { test::plan_of(files, KnownContents()); }) == Kind::invalid_input);
}

TEST_CASE("contents that do not match their digests are found out") {
  const ChunkedBlob blob = two_chunks();
  const auto files = blob.files();
  REQUIRE(files.size() == 2);
  REQUIRE(files[0].chunks.size() == 2);
  const std::string tar = pulled(blob, files);
  CHECK(tar == test::unpacked(blob.bytes));

  auto lying = files;
  lying[0].digest = spec::Digest::parse(some_digest);  // of the file, with right chunks
  CHECK(kind_of_pull(blob, lying) == Kind::integrity);
  lying = files;
  lying[0].chunks[0].digest = spec::Digest::parse(some_digest);  // of a hole
  CHECK(kind_of_pull(blob, lying) == Kind::integrity);
  lying = files;
  lying[0].chunks[1].digest = spec::Digest::parse(some_digest);
  CHECK(kind_of_pull(blob, lying) == Kind::integrity);
  KnownContents wrong;
  wrong.add(files[1].digest, "bce");
  CHECK(kind_of_pull(blob, files, wrong) == Kind::integrity);
}

TEST_CASE("chunks that are longer or shorter than they should be are found out") {
  const ChunkedBlob blob = two_chunks();
  auto files = blob.files();
  auto& last = files[1];
  for (const std::uint64_t size : {2U, 4U, 300'000U}) {
    last.size = last.chunks[0].size = size;
    CHECK(kind_of_pull(blob, files) == Kind::integrity);
  }
}

TEST_CASE("a part that ends early is found out") {
  const ChunkedBlob blob = two_chunks();
  const auto plan = test::plan_of(blob.files(), KnownContents());
  const auto bytes = test::parts_of(blob.bytes, plan.ranges);
  ChunkedReader reader(blob.tar_split(), plan, io::make_text_reader(bytes.substr(0, bytes.size() - 1)),
                       nullptr);
  CHECK(test::kind_of([&] { test::read_text(reader); }) == Kind::integrity);
}

TEST_CASE("TOC and tar-split have the same files") {
  const ChunkedBlob blob = two_chunks();
  auto files = blob.files();
  files.pop_back();
  CHECK(kind_of_pull(blob, files) == Kind::integrity);
  files = blob.files();
  files[1].name = "c";
  CHECK(kind_of_pull(blob, files) == Kind::integrity);
  files = blob.files();
  files.push_back(files[1]);
  files[2].name = "more";
  for (auto& chunk : files[2].chunks) chunk.blob_offset += files[1].chunks[0].blob_size;
  CHECK(kind_of_pull(blob, files) == Kind::integrity);
}

TEST_CASE("a tar-split is no larger than it was said") {
  const ChunkedBlob blob = two_chunks();
  auto plan = test::plan_of(blob.files(), KnownContents());
  auto parts = io::make_text_reader(test::parts_of(blob.bytes, plan.ranges));
  auto split = blob.tar_split();
  --split.plain_size;
  ChunkedReader reader(split, std::move(plan), std::move(parts), nullptr);
  CHECK(test::kind_of([&] { test::read_text(reader); }) == Kind::invalid_input);
}

// zstd:chunked blobs as they are written, and as they are put together again.
#include <doctest/doctest.h>

#include "chunked_fixture.hpp"
#include "io/codec/zstd_frames.hpp"
#include "layer/chunked_splitter.hpp"
#include "support/errors.hpp"

using namespace lade;
using namespace lade::layer;
using archive::TarHeader;
using archive::TarType;
using test::ChunkedBlob;
using test::KnownContents;
using test::TarBuilder;

namespace {

std::string big_content() {
  return test::random_bytes(700'000, 5) + std::string(100'000, '\0') + test::random_bytes(50'000, 6, 20);
}

TarBuilder usual_tar() {
  TarBuilder tar;
  tar.directory("./").directory("./d/").file("./d/a", "one").file("./d/empty").symlink("./l", "d/a");
  tar.hard_link("./h", "./d/a").add(TarType::fifo, "./fifo").file("./big", big_content());
  tar.file("./d/\xC3\xA9<&>\"", "x", [](TarHeader& header) {
    header.pax["SCHILY.xattr.user.x"] = std::string("\0\xFF", 2);
    header.mtime.nanoseconds = 5;
    header.atime = archive::TarTime{1, 0};
  });
  tar.file("./d/" + std::string(150, 'n'), test::random_bytes(3000, 7));
  return tar;
}

// Sizes of the chunks, those of holes negative.
std::vector<std::int64_t> chunk_sizes(const std::string& content, std::size_t step) {
  struct Sizes final : ChunkSplitter::Sink {
    void data(io::Bytes data) override {
      text += io::as_text(data), size += static_cast<std::int64_t>(data.size());
    }
    void zeros(std::uint64_t count) override {
      text.append(count, '\0'), size += static_cast<std::int64_t>(count);
    }
    void end_chunk(bool is_hole) override {
      if (size > 0) sizes.push_back(is_hole ? -size : size);
      size = 0;
    }
    std::string text;
    std::int64_t size = 0;
    std::vector<std::int64_t> sizes;
  };
  Sizes sizes;
  ChunkSplitter splitter(sizes);
  for (std::size_t at = 0; at < content.size(); at += step)
    splitter.feed(io::as_bytes(std::string_view(content).substr(at, step)));
  splitter.finish();
  CHECK(sizes.text == content);
  return sizes.sizes;
}

}  // namespace

TEST_CASE("chunks do not depend on the pieces in which content comes") {
  const std::string content = std::string(3000, '\0') + test::random_bytes(600'000, 3) +
                              std::string(1023, '\0') + test::random_bytes(1000, 4, 3) +
                              std::string(1024, '\0') + "x" + std::string(70'000, '\0');
  const auto sizes = chunk_sizes(content, content.size());
  CHECK(sizes.size() > 8);
  CHECK(sizes.front() == -3000);
  CHECK(sizes.back() == -70'000);
  CHECK(std::ranges::count(sizes, -1024) == 1);
  for (const std::size_t step : {1U, 7U, 1000U, 4096U}) CHECK(chunk_sizes(content, step) == sizes);
}

TEST_CASE("what follows an insertion is cut as it was before") {
  const std::string content = test::random_bytes(1'000'000, 9);
  auto sizes = chunk_sizes(content, 4096);
  auto changed = chunk_sizes("inserted" + content, 4096);
  REQUIRE(sizes.size() > 4);
  CHECK(changed.front() == sizes.front() + 8);
  changed.front() = sizes.front();
  CHECK(changed == sizes);
}

TEST_CASE("zstd frames follow one another, and do not depend on the pieces they were written in") {
  const std::string long_text = test::random_bytes(900'000, 2, 30);
  const auto frames = [&](std::size_t step) {
    io::ZstdFrameWriter writer(3);
    std::vector<std::byte> out;
    std::vector<std::size_t> ends;
    for (const std::string& text : {std::string("short"), std::string(), long_text, std::string("end")}) {
      for (std::size_t at = 0; at < text.size(); at += step)
        writer.write(io::as_bytes(std::string_view(text).substr(at, step)), out);
      writer.end(out);
      ends.push_back(out.size());
    }
    CHECK(ends[0] == ends[1]);  // nothing makes no frame
    return std::string(io::as_text(out));
  };
  const std::string whole = frames(long_text.size());
  CHECK(frames(1000) == whole);
  CHECK(test::unpacked(whole) == "short" + long_text + "end");
}

TEST_CASE("a section is read to its end and no further") {
  io::ZstdFrameWriter writer(3);
  std::vector<std::byte> out;
  writer.write(io::as_bytes("first"), out);
  writer.end(out);
  const std::size_t first = out.size();
  writer.write(io::as_bytes("second"), out);
  writer.end(out);
  const auto inner = io::make_text_reader(std::string(io::as_text(out)));
  io::ZstdSectionReader sections(*inner);
  sections.begin(first);
  std::array<std::byte, 3> some;
  CHECK(sections.read(some) == 3);
  sections.begin(out.size() - first);
  CHECK(test::read_text(sections) == "second");
  sections.begin(5);
  CHECK(test::kind_of([&] { test::read_text(sections); }) == Kind::integrity);
  const auto cut = io::make_text_reader(std::string(io::as_text(out)).substr(0, first - 2));
  io::ZstdSectionReader broken(*cut);
  broken.begin(first - 2);
  CHECK(test::kind_of([&] { test::read_text(broken); }) == Kind::integrity);
}

TEST_CASE("a chunked blob is the tar to who reads zstd, and the same bytes each time") {
  const std::string tar = usual_tar().finish() + std::string(5000, '\0');
  const ChunkedBlob blob(tar);
  CHECK(test::unpacked(blob.bytes) == tar);
  for (const std::size_t step : {511U, 1'000'000U}) CHECK(ChunkedBlob(tar, step).bytes == blob.bytes);
  CHECK(ChunkedBlob(tar, 100'000, 10).bytes != blob.bytes);
}

TEST_CASE("footer and annotations say where TOC and tar-split are") {
  const ChunkedBlob blob(usual_tar().finish());
  const auto position = blob.position();
  CHECK(blob.annotations.size() == 3);
  CHECK(parse_toc_footer(io::as_bytes(blob.bytes).last(toc_footer_size)) == position);
  CHECK(position.tar_split->end() + skippable_head_size + toc_footer_size == blob.bytes.size());
  check_toc_position(position, blob.bytes.size());
  CHECK(blob.toc().size() == position.toc.plain_size);
  CHECK(test::unpacked(blob.tar_split().bytes).size() == position.tar_split->plain_size);
}

TEST_CASE("the TOC has every file, and each of its chunks can be unpacked alone") {
  const ChunkedBlob blob(usual_tar().finish());
  const auto files = blob.files();
  REQUIRE(files.size() == 4);
  CHECK(files[0].name == "./d/a");
  CHECK(files[0].digest == io::digest_of("one"));
  CHECK(files[1].chunks.size() > 5);
  CHECK(std::ranges::count_if(files[1].chunks, &TocChunk::is_hole) == 1);
  CHECK(files[1].digest == io::digest_of(big_content()));
  std::string content;
  for (const auto& chunk : files[1].chunks) {
    content += test::unpacked(blob.bytes.substr(chunk.blob_offset, chunk.blob_size));
    CHECK(io::digest_of(content.substr(content.size() - chunk.size)) == chunk.digest);
  }
  CHECK(content == big_content());
}

TEST_CASE("entries of the TOC have the members that containers/storage compares with the tar") {
  const std::string toc = ChunkedBlob(TarBuilder()
                                          .file("a<", "x",
                                                [](TarHeader& header) {
                                                  header.uid = 5;
                                                  header.gid = 6;
                                                  header.mode = 04711;
                                                  header.mtime = {1, 500'000'000};
                                                  header.pax["SCHILY.xattr.user.k"] = "v";
                                                })
                                          .add(TarType::char_device, "c", {},
                                               [](TarHeader& header) {
                                                 header.uid = header.gid = 0;
                                                 header.device_major = 1;
                                                 header.device_minor = 3;
                                               })
                                          .finish())
                              .toc();
  CHECK(toc.starts_with(
      R"({"version":1,"entries":[{"type":"reg","name":"a\u003c","mode":2505,"size":1,"uid":5,)"
      R"("gid":6,"modtime":"1970-01-01T00:00:01.5Z","xattrs":{"user.k":"dg=="},)"
      R"("digest":"sha256:2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881",)"
      R"("offset":)"));
  CHECK(toc.find(R"(},{"type":"char","name":"c","mode":420,"modtime":"2017-07-14T02:40:00Z","devMajor":1,)"
                 R"("devMinor":3}],"tarSplitDigest":"sha256:)") != std::string::npos);
}

TEST_CASE("tars that partial pulls could not use are frames without a TOC") {
  const auto is_plain = [](TarBuilder& tar) {
    const std::string text = tar.file("last", test::random_bytes(300'000, 8)).finish();
    const ChunkedBlob blob(text);
    CHECK(test::unpacked(blob.bytes) == text);
    return blob.annotations.empty();
  };
  TarBuilder bytes, twice, same, up, whiteout, global, orphan, late, fine;
  CHECK(is_plain(bytes.file("\xFF", "x")));
  CHECK(is_plain(twice.file("a", "x").file("a", "y")));
  CHECK(is_plain(same.file("a", "x").file("./a", "y")));
  CHECK(is_plain(up.file("../a", "x")));
  CHECK(is_plain(whiteout.file(".wh.a", "x")));
  CHECK(is_plain(
      global.add(TarType::global_pax, "g", {}, [](TarHeader& header) { header.pax["comment"] = "x"; })));
  CHECK(is_plain(orphan.file("d/a", "x")));
  CHECK(is_plain(late.file("d/a", "x").directory("d")));
  CHECK_FALSE(is_plain(fine.file("a", "x").file(".wh.b").directory("./d/").symlink("d/l", "a")));
}

TEST_CASE("what is no tar is refused") {
  CHECK(test::kind_of([] { ChunkedBlob("not a tar " + std::string(600, 'x')); }) == Kind::invalid_input);
  CHECK(ChunkedBlob(std::string(1024, '\0')).annotations.size() == 3);
  const ChunkedBlob nothing("");
  CHECK(test::unpacked(nothing.bytes).empty());
  CHECK(nothing.annotations.empty());
}

TEST_CASE("a tar is put together of what is known and what is fetched") {
  const std::string tar = usual_tar().finish();
  const ChunkedBlob blob(tar);
  KnownContents nothing;
  auto all = test::plan_of(blob.files(), nothing);
  CHECK(all.local_size == 100'000);  // the hole
  CHECK(test::assembled(blob, std::move(all), nothing) == tar);

  KnownContents most;
  most.add("one");
  most.add(test::random_bytes(3000, 7));
  const auto files = blob.files();
  for (std::size_t i = 2; i < files[1].chunks.size(); ++i) {
    std::uint64_t offset = 0;
    for (std::size_t j = 0; j < i; ++j) offset += files[1].chunks[j].size;
    most.add(big_content().substr(offset, files[1].chunks[i].size));
  }
  auto few = test::plan_of(files, most, {.gap = 0});
  CHECK(few.ranges.size() == 2);  // two chunks next to one another are one range
  CHECK(few.fetched_size() < 400'000);
  CHECK(test::assembled(blob, std::move(few), most) == tar);

  KnownContents everything = most;
  everything.add(big_content());
  everything.add("x");
  auto none = test::plan_of(files, everything);
  CHECK(none.ranges.empty());
  CHECK(none.local_size == none.content_size);
  CHECK(test::assembled(blob, std::move(none), everything) == tar);
}

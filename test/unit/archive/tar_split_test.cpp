#include "archive/tar_split.hpp"

#include <sys/stat.h>

#include <doctest/doctest.h>

#include "archive/tar_block.hpp"
#include "archive/tar_writer.hpp"
#include "io/codec/codec.hpp"
#include "support/errors.hpp"
#include "support/streams.hpp"
#include "support/temp_dir.hpp"
#include "support/text_writer.hpp"

using namespace lade;
using namespace lade::archive;

namespace {

using Files = std::map<std::string, std::string>;

std::string member(const std::string& name, std::string_view content, TarType type = TarType::regular) {
  test::TextWriter out;
  TarWriter tar(out);
  TarHeader header;
  header.name = name;
  header.type = type;
  tar.add(header, content);
  tar.end_member();
  return out.text;
}

const std::string end_marker(2 * tar_block_size, '\0');

std::string split(const std::string& tar, std::size_t step = 10'000) {
  test::SlowReader reader(tar, step);
  test::TextWriter out;
  write_tar_split(reader, out);
  return out.text;
}

std::string json_of(const std::string& compressed) {
  return test::read_text(*io::decompress(io::make_text_reader(compressed), io::Compression::gzip));
}

std::string compressed(const std::string& json) {
  test::TextWriter out;
  io::GzipWriter gzip(out, 6);
  gzip.write(io::as_bytes(json));
  gzip.finish();
  return out.text;
}

std::string assembled(const std::string& tar_split, const Files& files) {
  TarSplitReader reader(io::make_text_reader(tar_split), [&files](const std::string& name) {
    const auto found = files.find(name);
    if (found == files.end()) throw Error(Kind::not_found, "no " + name);
    return io::make_text_reader(found->second);
  });
  return test::read_text(reader);
}

std::size_t count(std::string_view text, std::string_view word) {
  std::size_t result = 0;
  for (auto at = text.find(word); at != std::string_view::npos; at = text.find(word, at + 1)) ++result;
  return result;
}

}  // namespace

TEST_CASE("a tar-split has the lines that containers/storage writes") {
  std::string tar = member("a", "hello") + member("b", "", TarType::hard_link) + end_marker;
  tar.resize(10240, '\0');
  const std::string json = json_of(split(tar));
  CHECK(json.starts_with(R"({"type":2,"payload":"YQAAAA)"));
  CHECK(json.find("\n{\"type\":1,\"name\":\"a\",\"size\":5,\"payload\":\"PD7u4tgQAAA=\",\"position\":1}\n") !=
        std::string::npos);
  CHECK(json.find("\n{\"type\":1,\"name\":\"b\",\"payload\":null,\"position\":3}\n{\"type\":2,") !=
        std::string::npos);
  CHECK(assembled(split(tar), {{"a", "hello"}}) == tar);
}

TEST_CASE("an empty stream has an empty tar-split") {
  CHECK(json_of(split("")).empty());
  CHECK(assembled(split(""), {}).empty());
}

TEST_CASE("any tar comes back byte for byte, however it was cut in transit") {
  const std::string big = test::random_bytes(300'000);
  const std::string bad_name =
      "not\xff"
      "utf8 \"<&>\n";
  std::string long_name(200, 'n');
  std::string tar = member("./", "", TarType::directory) + member("./d/", "", TarType::directory) +
                    member("./d/big", big) + member("empty", "") + member(bad_name, "x") +
                    member(long_name, "long") + member("g", "", TarType::global_pax) +
                    member("\xc3\xa9<&>", "e");
  const Files files{{"./d/big", big}, {bad_name, "x"}, {long_name, "long"}, {"\xc3\xa9<&>", "e"}};
  for (const auto& end :
       {std::string(), std::string(512, '\0'), end_marker, end_marker + std::string(3'000'000, 'z')}) {
    CAPTURE(end.size());
    const std::string whole = tar + end;
    const std::string reference = split(whole, 1'000'000);
    CHECK(assembled(reference, files) == whole);
    CHECK(json_of(split(whole, 701)) == json_of(reference));
  }
  CHECK(json_of(split(tar)).find(R"("name_raw":"bm90/3V0ZjggIjwmPgo=")") != std::string::npos);
  CHECK(json_of(split(tar)).find("\"name\":\"\xc3\xa9\\u003c\\u0026\\u003e\"") != std::string::npos);
}

TEST_CASE("content that cannot be read again by name stays in the segments") {
  const std::string names[] = {"d/../a", "../a", ".wh.a", "d/.wh..wh..opq"};
  for (const auto& name : names) {
    CAPTURE(name);
    const std::string tar = member(name, "content") + end_marker;
    CHECK(count(json_of(split(tar)), "\"type\":1") == 0);
    CHECK(assembled(split(tar), {}) == tar);
  }
  const std::string twice =
      member("a", "", TarType::directory) + member("./a/", "", TarType::directory) + end_marker;
  CHECK(count(json_of(split(twice)), "\"type\":1") == 1);
  CHECK(assembled(split(twice), {}) == twice);
}

TEST_CASE("sparse files stay in the segments as they were stored") {
  // Format 0.1: eight bytes at offset 4096 of 8192.
  const std::string records =
      "22 GNU.sparse.major=0\n22 GNU.sparse.minor=1\n25 GNU.sparse.map=4096,8\n24 GNU.sparse.size=8192\n";
  TarBlock extension{};
  set_text(extension, field::name, "x");
  set_text(extension, field::type, "x");
  set_octal(extension, field::size, static_cast<std::int64_t>(records.size()));
  set_text(extension, field::magic, ustar_magic);
  set_checksum(extension);
  std::string tar(io::as_text(extension));
  tar += records;
  tar.resize(1024, '\0');
  tar += member("sparse", "12345678") + member("after", "y") + end_marker;
  CHECK(count(json_of(split(tar)), "\"type\":1") == 1);
  CHECK(assembled(split(tar), {{"after", "y"}}) == tar);
}

TEST_CASE("two files of one name cannot be split") {
  CHECK(test::kind_of([] { split(member("a", "1") + member("./a", "2") + end_marker); }) ==
        Kind::invalid_input);
}

TEST_CASE("a truncated tar has no tar-split") {
  const std::string tar = member("a", std::string(2'000, 'x'));
  CHECK(test::kind_of([&] { split(tar.substr(0, 1'000)); }) == Kind::integrity);
}

TEST_CASE("a file that changed is an integrity error") {
  const std::string tar_split = split(member("a", "hello") + end_marker);
  for (const auto* content : {"hellO", "hell", "hello!", ""}) {
    CAPTURE(content);
    CHECK(test::kind_of([&] { assembled(tar_split, {{"a", content}}); }) == Kind::integrity);
  }
  CHECK(test::kind_of([&] { assembled(tar_split, {}); }) == Kind::not_found);
}

TEST_CASE("what is not a tar-split is refused") {
  const std::string lines[] = {"x\n",
                               "[]\n",
                               "{}\n",
                               R"({"type":3,"position":0})"
                               "\n",
                               R"({"type":2,"payload":"!","position":0})"
                               "\n",
                               R"({"type":2,"payload":"AAAA","position":1})"
                               "\n",
                               R"({"type":2,"payload":"AAAA","position":0})",
                               R"({"type":1,"name":"a","size":-1,"payload":"PD7u4tgQAAA=","position":0})"
                               "\n",
                               R"({"type":1,"name":"a","size":5,"payload":"PD7u","position":0})"
                               "\n",
                               R"({"type":1,"name":"a","size":5,"payload":null,"position":0})"
                               "\n",
                               R"({"type":"2","position":0})"
                               "\n"};
  for (const auto& line : lines) {
    CAPTURE(line);
    CHECK(test::kind_of([&] { assembled(compressed(line), {{"a", "hello"}}); }) == Kind::invalid_input);
  }
  CHECK(test::kind_of([] { assembled("no gzip", {}); }) == Kind::integrity);
}

TEST_CASE("a line of a tar-split has a limit") {
  std::string line = R"({"type":2,"payload":")";
  line.append(17 * 1024 * 1024, 'A').append("\",\"position\":0}\n");
  CHECK(test::message_of([&] { assembled(compressed(line), {}); }) ==
        "invalid tar-split: a line is longer than 16 MiB");
}

TEST_CASE("a huge size in a tar-split is not believed") {
  const std::string line =
      R"({"type":1,"name":"a","size":9223372036854775807,"payload":"PD7u4tgQAAA=","position":0})"
      "\n";
  CHECK(test::kind_of([&] { assembled(compressed(line), {{"a", "hello"}}); }) == Kind::integrity);
}

TEST_CASE(
    "files are looked for in one directory after the other, never outside, never through a final link") {
  const test::Directory directory;
  directory.write("secret", "secret");
  directory.write("own/d/a", "own");
  directory.write("lower/d/a", "lower");
  directory.write("lower/b", "lower");
  std::filesystem::create_directory_symlink("d", directory / "own/link");
  std::filesystem::create_directory_symlink("../..", directory / "own/out");
  std::filesystem::create_symlink("d/a", directory / "own/file");
  CHECK(::mkfifo((directory / "own/fifo").c_str(), 0600) == 0);
  const auto open = open_in_roots({std::make_shared<const os::Root>(directory / "own"),
                                   std::make_shared<const os::Root>(directory / "lower")});
  CHECK(test::read_text(*open("d/a")) == "own");
  CHECK(test::read_text(*open("/link/a")) == "own");
  CHECK(test::read_text(*open("b")) == "lower");
  for (const auto* name : {"out/secret", "../secret", "file", "fifo", "d", "missing"}) {
    CAPTURE(name);
    CHECK_THROWS_AS((void)open(name), Error);
  }
}

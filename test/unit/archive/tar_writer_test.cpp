#include "archive/tar_writer.hpp"

#include <doctest/doctest.h>

#include "archive/pax.hpp"
#include "archive/tar_block.hpp"
#include "archive/tar_reader.hpp"
#include "support/errors.hpp"
#include "support/streams.hpp"
#include "support/text_writer.hpp"

using namespace lade;
using namespace lade::archive;

namespace {

std::string written(const TarHeader& header, std::string_view content = {}) {
  test::TextWriter out;
  TarWriter tar(out);
  tar.add(header, content);
  tar.finish();
  return out.text;
}

TarHeader named(std::string name) {
  TarHeader header;
  header.name = std::move(name);
  return header;
}

TarHeader read_back(const std::string& tar) {
  test::SlowReader inner(tar, 1000);
  TarReader reader(inner);
  const TarEntry* entry = reader.next();
  REQUIRE(entry != nullptr);
  return entry->header;
}

}  // namespace

TEST_CASE("a plain file is one ustar header, its padded content and two zero blocks") {
  TarHeader header = named("a");
  header.mode = 0444;
  const std::string tar = written(header, "xy");
  CHECK(tar.size() == 4 * tar_block_size);
  CHECK(tar.substr(100, 48) == std::string("0000444\0"
                                           "0000000\0"
                                           "0000000\0"
                                           "00000000002\0"
                                           "00000000000\0",
                                           48));
  CHECK(tar.substr(148, 9) == std::string("007336\0 0", 9));
  CHECK(tar.substr(257, 8) == std::string("ustar\0"
                                          "00",
                                          8));
  CHECK(tar.substr(329, 16) == std::string("0000000\0"
                                           "0000000\0",
                                           16));
  CHECK(tar.substr(512, 3) == std::string("xy\0", 3));
}

TEST_CASE("a long name is split between prefix and name, if it has a slash in the right place") {
  std::string name(60, 'd');
  name.append("/").append(80, 'f');
  const std::string tar = written(named(name));
  CHECK(tar.size() == 3 * tar_block_size);
  CHECK(tar.substr(0, 81) == std::string(80, 'f') + '\0');
  CHECK(tar.substr(345, 61) == std::string(60, 'd') + '\0');
  CHECK(read_back(tar).name == name);
}

TEST_CASE("what ustar cannot hold goes into a pax header before it") {
  TarHeader header = named(std::string("dir/").append(101, 'f'));
  header.uid = 3'000'000'000;
  header.mtime = {1, 500'000'000};
  header.pax["SCHILY.xattr.user.a"] = "b";
  const std::string tar = written(header);
  CHECK(tar.substr(0, 21) == "dir/PaxHeaders.0/ffff");
  CHECK(tar[156] == 'x');
  CHECK(tar.find("25 SCHILY.xattr.user.a=b\n") < tar.find("mtime=1.5\n"));
  CHECK(tar.find("mtime=1.5\n") < tar.find(" path=dir/fff"));
  CHECK(tar.find("uid=3000000000\n") != std::string::npos);
  CHECK(tar.substr(1024 + 108, 8) == std::string("0000000\0", 8));
}

TEST_CASE("every field survives a round trip") {
  TarHeader header = named("täst/" + std::string(300, 'n'));
  header.link = std::string(200, 'l');
  header.user = "ürs";
  header.group = "grp";
  header.type = TarType::symlink;
  header.mode = 07777;
  header.uid = 4'294'967'295;
  header.gid = 2'097'152;
  header.mtime = {-1, 250'000'000};
  header.atime = TarTime{1'700'000'000, 1};
  header.ctime = TarTime{99'999'999'999, 0};
  header.pax["SCHILY.xattr.security.capability"] = std::string("\0\1=\n", 4);
  const TarHeader read = read_back(written(header));
  CHECK(read.name == header.name);
  CHECK(read.link == header.link);
  CHECK(read.user == header.user);
  CHECK(read.group == header.group);
  CHECK(read.type == header.type);
  CHECK(read.mode == header.mode);
  CHECK(read.uid == header.uid);
  CHECK(read.gid == header.gid);
  CHECK(read.mtime == header.mtime);
  CHECK(read.atime == header.atime);
  CHECK(read.ctime == header.ctime);
  CHECK(read.pax == header.pax);
}

TEST_CASE("a directory has no content, and its name stays as it is") {
  TarHeader header = named("d/");
  header.type = TarType::directory;
  header.size = 7;
  const TarHeader read = read_back(written(header));
  CHECK(read.name == "d/");
  CHECK(read.type == TarType::directory);
  CHECK(read.size == 0);
}

TEST_CASE("content of another length than announced is refused") {
  test::TextWriter out;
  TarWriter tar(out);
  TarHeader header = named("a");
  header.size = 3;
  tar.begin(header);
  CHECK(test::kind_of([&] { tar.write(io::as_bytes("1234")); }) == Kind::integrity);
  tar.write(io::as_bytes("12"));
  CHECK(test::kind_of([&] { tar.finish(); }) == Kind::integrity);
}

TEST_CASE("a size over 8 GiB is written in a pax record") {
  test::TextWriter out;
  TarWriter tar(out);
  TarHeader header = named("big");
  header.size = 8'589'934'592;
  tar.begin(header);
  CHECK(out.text.find("19 size=8589934592\n") != std::string::npos);
  CHECK(read_back(out.text).size == 8'589'934'592);
}

TEST_CASE("pax records count their own length") {
  CHECK(format_pax({{"a", "b"}}) == "6 a=b\n");
  CHECK(format_pax({{"key", "x1"}}) == "9 key=x1\n");
  CHECK(format_pax({{"key", "123456789"}}) == "17 key=123456789\n");
  const std::string long_value(90, 'v');
  CHECK(format_pax({{"k", long_value}}) == "96 k=" + long_value + "\n");
  const std::string longer_value(95, 'v');
  CHECK(format_pax({{"k", longer_value}}) == "102 k=" + longer_value + "\n");
}

TEST_CASE("a member of unknown size gets the same header afterwards") {
  test::TextWriter out;
  TarWriter tar(out);
  tar.begin_open();
  tar.write(io::as_bytes("xy"));
  const TarBlock block = tar.end_open(named("a"));
  tar.finish();
  out.text.replace(0, tar_block_size, io::as_text(block));
  CHECK(out.text == written(named("a"), "xy"));
}

TEST_CASE("an abandoned member leaves no trace once the output is cut back") {
  test::TextWriter out;
  TarWriter tar(out);
  tar.add(named("a"), "xy");
  tar.end_member();
  const auto offset = tar.offset();
  TarHeader header = named("broken");
  header.size = 10;
  tar.begin(header);
  tar.write(io::as_bytes("123"));
  out.text.resize(offset);
  tar.abandon(offset);
  tar.finish();
  CHECK(out.text == written(named("a"), "xy"));
}

#include "archive/tar_reader.hpp"

#include <doctest/doctest.h>

#include "archive/tar_block.hpp"
#include "archive/tar_writer.hpp"
#include "support/errors.hpp"
#include "support/streams.hpp"
#include "support/text_writer.hpp"

using namespace lade;
using namespace lade::archive;

namespace {

std::string text_of(const TarBlock& block) {
  return std::string(io::as_text(block));
}

// A header block; magic "" makes it v7.
TarBlock block_of(char type, std::string_view name, std::uint64_t size,
                  std::string_view magic = ustar_magic) {
  TarBlock block{};
  set_text(block, field::name, name);
  set_text(block, field::type, {&type, 1});
  set_octal(block, field::mode, 0644);
  set_octal(block, field::size, static_cast<std::int64_t>(size));
  set_text(block, field::magic, magic);
  set_checksum(block);
  return block;
}

std::string padded(std::string text) {
  text.resize(text.size() + tar_padding(text.size()), '\0');
  return text;
}

std::string member(char type, std::string_view name, const std::string& content) {
  return text_of(block_of(type, name, content.size())) + padded(content);
}

const std::string end_marker(2 * tar_block_size, '\0');

struct Member {
  TarEntry entry;
  std::string content;
};

std::vector<Member> read_all_members(const std::string& tar) {
  test::SlowReader inner(tar, 700);
  TarReader reader(inner);
  std::vector<Member> members;
  while (const TarEntry* entry = reader.next()) {
    TarEntry copy = *entry;
    members.push_back({std::move(copy), test::read_text(reader)});
  }
  CHECK(inner.ends() <= 1);
  return members;
}

Member only_member(const std::string& tar) {
  auto members = read_all_members(tar);
  REQUIRE(members.size() == 1);
  return std::move(members.front());
}

}  // namespace

TEST_CASE("members come one after the other, read or not") {
  const std::string tar =
      member('0', "a", "one") + member('5', "d/", "") + member('0', "b", "two") + end_marker;
  test::SlowReader inner(tar, 100);
  TarReader reader(inner);
  CHECK(reader.next()->header.name == "a");
  CHECK(reader.next()->header.type == TarType::directory);
  CHECK(reader.next()->header.name == "b");
  CHECK(test::read_text(reader) == "two");
  CHECK(reader.next() == nullptr);
  CHECK(reader.next() == nullptr);
}

TEST_CASE("data offsets point at the content in the stream") {
  const std::string tar =
      member('0', "a", "one") + member('L', "././@LongLink", std::string("long")) + member('0', "b", "two");
  for (const auto& [entry, content] : read_all_members(tar + end_marker)) {
    CHECK(tar.substr(entry.data_offset, entry.stored_size) == content);
  }
}

TEST_CASE("an archive may end without its end marker, and may be empty") {
  CHECK(read_all_members("").empty());
  CHECK(read_all_members(end_marker).empty());
  CHECK(read_all_members(std::string(tar_block_size, '\0')).empty());
  CHECK(only_member(member('0', "a", "one")).content == "one");
  CHECK(only_member(text_of(block_of('0', "a", 3)) + "one").content == "one");
}

TEST_CASE("a truncated archive is an integrity error wherever it is cut") {
  const std::string tar = member('x', "p", "16 path=renamed\n") + member('0', "a", "content");
  for (const std::size_t size : {1UL, 511UL, 513UL, 520UL, 1024UL, 1030UL, 1536UL, 1542UL}) {
    CAPTURE(size);
    CHECK(test::kind_of([&] { read_all_members(tar.substr(0, size)); }) == Kind::integrity);
  }
}

TEST_CASE("a block with a wrong checksum, and data after one zero block, are refused") {
  std::string tar = member('0', "a", "one") + end_marker;
  tar[3] = 'x';
  CHECK(test::kind_of([&] { read_all_members(tar); }) == Kind::invalid_input);
  const std::string garbage = std::string(tar_block_size, '\0') + member('0', "a", "one");
  CHECK(test::kind_of([&] { read_all_members(garbage); }) == Kind::invalid_input);
}

TEST_CASE("a checksum over signed bytes is accepted") {
  TarBlock block = block_of('0', "\xff\xff", 0);
  std::int64_t sum = 0;
  set_text(block, field::checksum, "        ");
  for (const std::byte byte : block) sum += static_cast<signed char>(byte);
  set_octal(block, {field::checksum.offset, 7}, sum);
  CHECK(only_member(text_of(block)).entry.header.name == "\xff\xff");
}

TEST_CASE("GNU long names and links take the place of the short ones") {
  const std::string name(300, 'n');
  const std::string link(400, 'l');
  const std::string tar = member('L', "././@LongLink", name + '\0') +
                          member('K', "././@LongLink", link + '\0') + member('2', "short", "");
  CHECK(only_member(tar).entry.header.name == name);
  CHECK(only_member(tar).entry.header.link == link);
}

TEST_CASE("a pax header changes the next member only") {
  const std::string pax = "12 path=new\n13 mtime=1.5\n25 SCHILY.xattr.user.a=b\n";
  const auto members =
      read_all_members(member('x', "p", pax) + member('0', "a", "one") + member('0', "b", "two"));
  REQUIRE(members.size() == 2);
  CHECK(members[0].entry.header.name == "new");
  CHECK(members[0].entry.header.mtime == TarTime{1, 500'000'000});
  CHECK(members[0].entry.header.pax == PaxRecords{{"SCHILY.xattr.user.a", "b"}});
  CHECK(members[1].entry.header.name == "b");
  CHECK(members[1].entry.header.pax.empty());
}

TEST_CASE("base-256 numbers are read, and sizes that are negative or too large refused") {
  TarBlock block = block_of('0', "a", 0);
  set_text(block, field::uid, std::string("\x80\0\0\0\xb2\xd0\x5e\0", 8));
  set_text(block, field::mtime, std::string(11, '\xff') + "\xfe");
  set_checksum(block);
  CHECK(only_member(text_of(block)).entry.header.uid == 3'000'000'000);
  CHECK(only_member(text_of(block)).entry.header.mtime.seconds == -2);
  for (const auto& size :
       {std::string(12, '\xff'), "\x80" + std::string(11, '\xff'), std::string("00000000009\0", 12)}) {
    set_text(block, field::size, size);
    set_checksum(block);
    CHECK(test::kind_of([&] { read_all_members(text_of(block)); }) == Kind::invalid_input);
  }
}

TEST_CASE("v7 headers have no prefix, and a trailing slash makes a directory") {
  TarBlock block = block_of('\0', "dir/", 0, "");
  set_text(block, field::prefix, "not a prefix");
  set_checksum(block);
  const auto read = only_member(text_of(block)).entry.header;
  CHECK(read.name == "dir/");
  CHECK(read.type == TarType::directory);
}

TEST_CASE("links and directories have no content, whatever their size says") {
  const std::string tar = text_of(block_of('1', "hard", 5)) + member('0', "a", "one");
  const auto members = read_all_members(tar);
  REQUIRE(members.size() == 2);
  CHECK(members[0].entry.header.size == 0);
  CHECK(members[1].content == "one");
}

TEST_CASE("a global header is an entry of its own and changes no other") {
  const auto members = read_all_members(member('g', "g", "12 path=new\n") + member('0', "a", "one"));
  REQUIRE(members.size() == 2);
  CHECK(members[0].entry.header.type == TarType::global_pax);
  CHECK(members[0].entry.header.pax.at("path") == "new");
  CHECK(members[1].entry.header.name == "a");
}

TEST_CASE("extended headers that are too large or too many are refused") {
  const std::string huge = text_of(block_of('x', "p", 1 << 30));
  CHECK(test::kind_of([&] { read_all_members(huge); }) == Kind::invalid_input);
  std::string chain;
  for (int i = 0; i < 100; ++i) chain += member('L', "././@LongLink", "x");
  CHECK(test::kind_of([&] { read_all_members(chain + member('0', "a", "")); }) == Kind::invalid_input);
}

TEST_CASE("raw bytes and contents together are the archive") {
  const std::string tar = member('x', "p", "12 path=new\n") + member('0', "a", "one") +
                          member('5', "d/", "") + member('0', "b", std::string(600, 'b')) + end_marker;
  test::SlowReader inner(tar, 333);
  TarReader reader(inner, {.keep_raw = true});
  std::string rebuilt;
  while (reader.next() != nullptr) {
    rebuilt += reader.take_raw();
    rebuilt += test::read_text(reader);
  }
  CHECK(rebuilt + reader.take_raw() == tar);
}

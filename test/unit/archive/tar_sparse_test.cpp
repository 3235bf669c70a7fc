#include "archive/tar_sparse.hpp"

#include <doctest/doctest.h>

#include "archive/tar_block.hpp"
#include "archive/tar_reader.hpp"
#include "support/errors.hpp"
#include "support/streams.hpp"

using namespace lade;
using namespace lade::archive;

namespace {

// "abc" at 2 and "de" at 10, 14 bytes long.
const std::string stored = "abcde";
const std::string whole = std::string("\0\0abc\0\0\0\0\0de\0\0", 14);

std::string padded_data(std::string text) {
  text.resize(text.size() + tar_padding(text.size()), '\0');
  return text;
}

TarBlock header_of(char type, std::size_t size) {
  TarBlock block{};
  set_text(block, field::name, "GNUSparseFile.0/f");
  set_text(block, field::type, {&type, 1});
  set_octal(block, field::size, static_cast<std::int64_t>(size));
  set_text(block, field::magic, type == 'S' ? gnu_magic : ustar_magic);
  set_checksum(block);
  return block;
}

std::string member(char type, const std::string& content) {
  return std::string(io::as_text(header_of(type, content.size()))) + padded_data(content);
}

std::string record(const std::string& key, const std::string& value) {
  const auto rest = key.size() + value.size() + 3;
  return std::to_string(rest + 2) + " " + key + "=" + value + "\n";
}

void set_extent(TarBlock& block, std::size_t offset, std::int64_t begin, std::int64_t size) {
  set_octal(block, {offset, 12}, begin);
  set_octal(block, {offset + 12, 12}, size);
}

void check_reads(const std::string& tar, const std::string& name) {
  test::SlowReader inner(tar, 3);
  TarReader reader(inner);
  const TarEntry* entry = reader.next();
  REQUIRE(entry != nullptr);
  CHECK(entry->header.name == name);
  CHECK(entry->header.size == whole.size());
  CHECK(entry->stored_size == stored.size());
  CHECK(tar.substr(entry->data_offset, entry->stored_size) == stored);
  CHECK(test::read_text(reader) == whole);
  CHECK(reader.next() == nullptr);
}

}  // namespace

TEST_CASE("sparse files of GNU's old format are filled") {
  TarBlock block = header_of('S', stored.size());
  set_extent(block, field::gnu_sparse.offset, 2, 3);
  set_extent(block, field::gnu_sparse.offset + 24, 10, 2);
  set_octal(block, field::gnu_real_size, 14);
  set_checksum(block);
  check_reads(std::string(io::as_text(block)) + padded_data(stored), "GNUSparseFile.0/f");
}

TEST_CASE("sparse files of GNU's old format may continue their map in more blocks") {
  TarBlock block = header_of('S', stored.size());
  set_extent(block, field::gnu_sparse.offset, 2, 3);
  set_octal(block, field::gnu_real_size, 14);
  set_text(block, field::gnu_extended, "\1");
  set_checksum(block);
  TarBlock more{};
  set_extent(more, 0, 10, 2);
  check_reads(std::string(io::as_text(block)) + std::string(io::as_text(more)) + padded_data(stored),
              "GNUSparseFile.0/f");
}

TEST_CASE("sparse files of pax formats 0.0, 0.1 and 1.0 are filled") {
  const std::string old_size = record("GNU.sparse.size", "14");
  const std::string extents = record("GNU.sparse.offset", "2") + record("GNU.sparse.numbytes", "3") +
                              record("GNU.sparse.offset", "10") + record("GNU.sparse.numbytes", "2");
  check_reads(member('x', old_size + extents) + member('0', stored), "GNUSparseFile.0/f");
  const std::string name = record("GNU.sparse.name", "my-file");
  const std::string map = record("GNU.sparse.map", "2,3,10,2");
  check_reads(member('x', old_size + name + map) + member('0', stored), "my-file");
  const std::string version = record("GNU.sparse.major", "1") + record("GNU.sparse.minor", "0");
  const std::string size = record("GNU.sparse.realsize", "14");
  check_reads(member('x', version + name + size) + member('0', padded_data("2\n2\n3\n10\n2\n") + stored),
              "my-file");
}

TEST_CASE("sparse maps that overlap, run out of the file or miss data are refused") {
  for (const auto* map : {"2,3,4,2", "10,2,2,3", "2,3,10,5", "2,3", "2,3,10,2,14,1", "2,3,10", "-2,3,10,2",
                          "9223372036854775807,9223372036854775807", "x,3"}) {
    CAPTURE(map);
    const std::string tar =
        member('x', record("GNU.sparse.size", "14") + record("GNU.sparse.name", "my-file") +
                        record("GNU.sparse.map", map)) +
        member('0', stored);
    test::SlowReader inner(tar, 100);
    TarReader reader(inner);
    CHECK_THROWS_AS(reader.next(), Error);
  }
}

TEST_CASE("a file that is one hole has no stored bytes") {
  test::SlowReader inner("");
  SparseReader reader(inner, {}, 5);
  CHECK(test::read_text(reader) == std::string(5, '\0'));
}

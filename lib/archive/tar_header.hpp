// One member of a tar archive (POSIX.1-2001 pax, ustar, GNU tar).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace lade::archive {

inline constexpr std::size_t tar_block_size = 512;
using TarBlock = std::array<std::byte, tar_block_size>;

// pax extended header records, without those that became fields of a header.
using PaxRecords = std::map<std::string, std::string>;

struct TarTime {
  std::int64_t seconds = 0;
  std::uint32_t nanoseconds = 0;
  auto operator<=>(const TarTime&) const = default;
};

enum class TarType : char {
  regular = '0',
  hard_link = '1',
  symlink = '2',
  char_device = '3',
  block_device = '4',
  directory = '5',
  fifo = '6',
  global_pax = 'g',  // name and data mean nothing; the records are in TarHeader::pax
  other = '?',       // a type nobody knows: a regular file by POSIX's rule
};

struct TarHeader {
  std::string name;  // as it stands: may be absolute, may hold ".."; a directory's may end in '/'
  std::string link;
  std::string user;
  std::string group;
  TarType type = TarType::regular;
  std::uint32_t mode = 0644;  // permission, set-id and sticky bits
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
  std::uint64_t size = 0;  // bytes of content, holes of a sparse file included
  TarTime mtime;
  std::optional<TarTime> atime;
  std::optional<TarTime> ctime;
  std::uint32_t device_major = 0;
  std::uint32_t device_minor = 0;
  PaxRecords pax;  // extended attributes are "SCHILY.xattr.<name>"
};

// Data of a sparse file; all between is zero.
struct SparseExtent {
  std::uint64_t offset = 0;
  std::uint64_t size = 0;
  bool operator==(const SparseExtent&) const = default;
};

// A header and where its data lies in the archive.
struct TarEntry {
  TarHeader header;
  std::uint64_t data_offset = 0;  // from the first byte of the stream
  std::uint64_t stored_size = 0;  // bytes in the archive, without padding; less than header.size if sparse
  std::optional<std::vector<SparseExtent>> sparse;
};

// Lexically: no "//", "." or inner "..", no '/' at the ends ("./a/../b/" is "b", "/" is ""); ".." at the
// front stays, so that such a name never equals a sane one.
std::string clean_name(std::string_view name);

// Bytes that fill the last block of `size` bytes.
constexpr std::uint64_t tar_padding(std::uint64_t size) {
  return (tar_block_size - size % tar_block_size) % tar_block_size;
}

}  // namespace lade::archive

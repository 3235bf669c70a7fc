#include "archive/tar_reader.hpp"

#include <algorithm>
#include <charconv>
#include <limits>
#include <vector>

#include "archive/pax.hpp"
#include "archive/tar_block.hpp"
#include "base/error.hpp"

namespace lade::archive {

namespace {

constexpr char pax_type = 'x';
constexpr char gnu_long_name_type = 'L';
constexpr char gnu_long_link_type = 'K';
constexpr char gnu_sparse_type = 'S';

[[noreturn]] void throw_truncated() {
  throw Error(Kind::integrity, "unexpected end of tar archive");
}

std::uint64_t not_negative(std::int64_t value) {
  if (value < 0) throw_invalid_tar("negative number");
  return static_cast<std::uint64_t>(value);
}

std::uint32_t small(std::uint64_t value) {
  if (value > std::numeric_limits<std::uint32_t>::max()) throw_invalid_tar("number out of range");
  return static_cast<std::uint32_t>(value);
}

char type_of(const TarBlock& block) {
  return raw_field(block, field::type).front();
}

std::uint64_t size_of(const TarBlock& block) {
  return not_negative(number_field(block, field::size));
}

bool has_content(TarType type) {
  return type == TarType::regular || type == TarType::other || type == TarType::global_pax;
}

TarType to_type(char type, std::string_view name) {
  switch (type) {
    case '\0': return name.ends_with('/') ? TarType::directory : TarType::regular;
    case '0':
    case '7':  // contiguous
    case gnu_sparse_type: return TarType::regular;
    case '1':
    case '2':
    case '3':
    case '4':
    case '5':
    case '6':
    case 'g': return static_cast<TarType>(type);
    default: return TarType::other;
  }
}

// v7 has no magic, GNU uses the place of the prefix for times.
std::string name_with_prefix(const TarBlock& block) {
  const std::string name(text_field(block, field::name));
  if (raw_field(block, field::magic) != ustar_magic) return name;
  const bool star = raw_field(block, field::star_trailer) == std::string_view("tar\0", 4);
  const auto prefix = text_field(block, star ? field::star_prefix : field::prefix);
  return prefix.empty() ? name : std::string(prefix) + "/" + name;
}

TarHeader to_header(const TarBlock& block) {
  TarHeader header;
  header.name = name_with_prefix(block);
  header.link = text_field(block, field::link);
  header.type = to_type(type_of(block), header.name);
  header.mode = static_cast<std::uint32_t>(number_field(block, field::mode)) & 07777;
  header.uid = small(not_negative(number_field(block, field::uid)));
  header.gid = small(not_negative(number_field(block, field::gid)));
  header.size = size_of(block);
  header.mtime.seconds = number_field(block, field::mtime);
  const auto magic = raw_field(block, field::magic);
  if (magic != ustar_magic && magic != gnu_magic) return header;
  header.user = text_field(block, field::user);
  header.group = text_field(block, field::group);
  if (header.type == TarType::char_device || header.type == TarType::block_device) {
    header.device_major = small(not_negative(number_field(block, field::device_major)));
    header.device_minor = small(not_negative(number_field(block, field::device_minor)));
  }
  return header;
}

// Moves a record out, if it is there.
std::optional<std::string> take(PaxRecords& records, const std::string& key) {
  const auto found = records.find(key);
  if (found == records.end()) return std::nullopt;
  std::string value = std::move(found->second);
  records.erase(found);
  return value;
}

void apply_pax(PaxRecords& records, TarHeader& header) {
  if (auto value = take(records, "path")) header.name = std::move(*value);
  if (auto value = take(records, "linkpath")) header.link = std::move(*value);
  if (auto value = take(records, "uname")) header.user = std::move(*value);
  if (auto value = take(records, "gname")) header.group = std::move(*value);
  if (const auto value = take(records, "uid")) header.uid = small(parse_pax_number(*value));
  if (const auto value = take(records, "gid")) header.gid = small(parse_pax_number(*value));
  if (const auto value = take(records, "size")) header.size = parse_pax_number(*value);
  if (const auto value = take(records, "mtime")) header.mtime = parse_pax_time(*value);
  if (const auto value = take(records, "atime")) header.atime = parse_pax_time(*value);
  if (const auto value = take(records, "ctime")) header.ctime = parse_pax_time(*value);
}

}  // namespace

TarReader::TarReader(io::Reader& inner, Options options) : inner_(inner), options_(options) {}

TarReader::TarReader(SkippingReader& inner, Options options)
    : inner_(inner), skipping_(&inner), options_(options) {}

std::size_t TarReader::Stored::read(io::Buffer buffer) {
  const auto want = std::min<std::uint64_t>(buffer.size(), tar_.left_);
  if (want == 0) return 0;
  const auto n = tar_.inner_.read(buffer.first(static_cast<std::size_t>(want)));
  if (n == 0) throw_truncated();
  tar_.left_ -= n;
  tar_.offset_ += n;
  return n;
}

std::size_t TarReader::read(io::Buffer buffer) {
  return sparse_ ? sparse_->read(buffer) : stored_.read(buffer);
}

void TarReader::skip(std::uint64_t size) {
  if (skipping_ != nullptr) {
    skipping_->skip(size);
    offset_ += size;
    return;
  }
  std::vector<std::byte> scratch(static_cast<std::size_t>(std::min<std::uint64_t>(size, 64 * 1024)));
  while (size > 0) {
    const auto n = inner_.read(
        io::Buffer(scratch).first(static_cast<std::size_t>(std::min<std::uint64_t>(size, scratch.size()))));
    if (n == 0) throw_truncated();
    size -= n;
    offset_ += n;
  }
}

// To the first block after the member and its padding.
void TarReader::finish_member() {
  skip(std::exchange(left_, 0));
  sparse_.reset();
  TarBlock block;
  const auto padding = static_cast<std::size_t>(std::exchange(padding_, 0));
  // Some writers leave out the padding at the very end: next_header() then sees the end of the stream.
  const auto n = padding == 0 ? 0 : io::read_full(inner_, io::Buffer(block).first(padding));
  offset_ += n;
  ended_ = n < padding;
  if (options_.keep_raw) raw_ += io::as_text(io::Bytes(block).first(n));
}

// False at the end of the stream.
bool TarReader::read_block(TarBlock& block) {
  const auto n = io::read_full(inner_, block);
  if (n == 0) return false;
  if (n < block.size()) throw_truncated();
  offset_ += n;
  if (options_.keep_raw) raw_ += io::as_text(block);
  return true;
}

TarBlock TarReader::need_block() {
  TarBlock block;
  if (!read_block(block)) throw_truncated();
  return block;
}

// nullopt at the end of the archive.
std::optional<TarBlock> TarReader::next_header() {
  TarBlock block;
  if (!read_block(block)) return std::nullopt;
  if (is_zero(block)) {
    if (read_block(block) && !is_zero(block)) throw_invalid_tar("data after the end marker");
    return std::nullopt;
  }
  if (!checksum_matches(block)) throw_invalid_tar("wrong checksum");
  return block;
}

// The content of an extension header.
std::string TarReader::read_extension(std::uint64_t size) {
  if (size > options_.max_extension) throw_invalid_tar("extended header is too large");
  std::string text(static_cast<std::size_t>(size), '\0');
  const auto buffer = std::as_writable_bytes(std::span(text));
  if (!buffer.empty() && io::read_full(inner_, buffer) < buffer.size()) throw_truncated();
  offset_ += size;
  if (options_.keep_raw) raw_ += text;
  padding_ = tar_padding(size);
  finish_member();
  return text;
}

const TarEntry* TarReader::next() {
  if (ended_) return nullptr;
  finish_member();
  Extensions extensions;
  for (int headers = 0; !ended_; ++headers) {
    const auto block = next_header();
    if (!block) {
      if (headers > 0) throw_truncated();
      break;
    }
    // A chain of extensions without a member would be read, and kept, for ever.
    if (headers > 16) throw_invalid_tar("too many extended headers");
    const char type = type_of(*block);
    if (type == pax_type) {
      extensions.pax = parse_pax(read_extension(size_of(*block)));
    } else if (type == gnu_long_name_type || type == gnu_long_link_type) {
      auto text = read_extension(size_of(*block));
      text.erase(std::min(text.find('\0'), text.size()));
      (type == gnu_long_name_type ? extensions.long_name : extensions.long_link) = std::move(text);
    } else {
      begin_member(*block, extensions);
      return &entry_;
    }
  }
  ended_ = true;
  return nullptr;
}

void TarReader::begin_member(const TarBlock& block, Extensions& extensions) {
  entry_ = TarEntry{to_header(block), offset_, 0, std::nullopt};
  TarHeader& header = entry_.header;
  if (header.type == TarType::global_pax) {
    header.pax = parse_pax(read_extension(header.size));
    header.size = 0;
    entry_.data_offset = offset_;
    return;
  }
  apply_pax(extensions.pax, header);
  if (extensions.long_name) header.name = std::move(*extensions.long_name);
  if (extensions.long_link) header.link = std::move(*extensions.long_link);
  if (!has_content(header.type)) header.size = 0;
  if (header.size > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()) - offset_) {
    throw_invalid_tar("number out of range");
  }
  entry_.stored_size = header.size;
  left_ = header.size;
  padding_ = tar_padding(header.size);
  begin_sparse(block, extensions.pax);
  header.pax = std::move(extensions.pax);
}

// Which of the formats, if any, and its map. header.size so far is what is stored.
void TarReader::begin_sparse(const TarBlock& block, PaxRecords& pax) {
  TarHeader& header = entry_.header;
  if (header.type != TarType::regular) return;
  const auto major = take(pax, "GNU.sparse.major");
  const auto minor = take(pax, "GNU.sparse.minor");
  auto map = take(pax, "GNU.sparse.map");
  auto name = take(pax, "GNU.sparse.name");
  auto size = take(pax, "GNU.sparse.size");
  if (auto real_size = take(pax, "GNU.sparse.realsize")) size = std::move(real_size);
  take(pax, "GNU.sparse.numblocks");
  if (type_of(block) == gnu_sparse_type) {
    entry_.sparse = read_gnu_map(block);
    header.size = not_negative(number_field(block, field::gnu_real_size));
  } else if (major && minor && *major == "1" && *minor == "0" && size) {
    entry_.sparse = read_pax_map();
  } else if (map && size) {
    entry_.sparse = parse_sparse_map(*map);
  } else {
    return;
  }
  if (name) header.name = std::move(*name);
  if (size) header.size = parse_pax_number(*size);
  entry_.data_offset = offset_;
  entry_.stored_size = left_;
  check_sparse_map(*entry_.sparse, header.size, left_);
  sparse_.emplace(stored_, *entry_.sparse, header.size);
}

std::vector<SparseExtent> TarReader::read_gnu_map(const TarBlock& block) {
  std::vector<SparseExtent> extents;
  append_gnu_extents(raw_field(block, field::gnu_sparse), extents);
  bool extended = raw_field(block, field::gnu_extended).front() != '\0';
  for (std::uint64_t read = 0; extended;) {
    if ((read += tar_block_size) > options_.max_extension) throw_invalid_tar("sparse map is too large");
    const auto more = need_block();
    append_gnu_extents(raw_field(more, field::gnu_block_sparse), extents);
    extended = raw_field(more, field::gnu_block_extended).front() != '\0';
  }
  return extents;
}

// Format 1.0: decimal numbers, a line each, at the front of the data: how many extents, then each one's
// offset and size; filled up to a whole block.
std::vector<SparseExtent> TarReader::read_pax_map() {
  std::string text;
  const auto next_number = [&] {
    for (;;) {
      if (const auto end = text.find('\n'); end != std::string::npos) {
        const auto number = parse_pax_number(std::string_view(text).substr(0, end));
        text.erase(0, end + 1);
        return number;
      }
      if (text.size() > 32) throw_invalid_tar("malformed sparse map");
      if (left_ < tar_block_size) throw_truncated();
      const auto block = need_block();
      left_ -= tar_block_size;
      text += io::as_text(block);
    }
  };
  const auto count = next_number();
  if (count > options_.max_extension / sizeof(SparseExtent)) throw_invalid_tar("sparse map is too large");
  std::vector<SparseExtent> extents;
  for (std::uint64_t i = 0; i < count; ++i) {
    const auto offset = next_number();
    extents.push_back({offset, next_number()});
  }
  return extents;
}

}  // namespace lade::archive

#include "archive/tar_writer.hpp"

#include <algorithm>
#include <limits>
#include <optional>
#include <utility>

#include "archive/pax.hpp"
#include "archive/tar_block.hpp"
#include "base/error.hpp"

namespace lade::archive {

namespace {

bool is_ascii(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c > 0; });
}

std::string to_ascii(std::string_view text) {
  std::string result;
  std::copy_if(text.begin(), text.end(), std::back_inserter(result), [](char c) { return c > 0; });
  return result;
}

struct SplitName {
  std::string_view prefix;
  std::string_view name;
};

// Long names are cut at the last '/' that leaves both parts short enough, as Go does.
std::optional<SplitName> split_name(std::string_view name) {
  if (name.size() <= field::name.size || !is_ascii(name)) return std::nullopt;
  auto length = name.size();
  if (length > field::prefix.size + 1) {
    length = field::prefix.size + 1;
  } else if (name[length - 1] == '/') {
    --length;
  }
  const auto slash = name.substr(0, length).rfind('/');
  if (slash == std::string_view::npos || slash == 0 || slash > field::prefix.size) return std::nullopt;
  const auto rest = name.substr(slash + 1);
  if (rest.empty() || rest.size() > field::name.size) return std::nullopt;
  return SplitName{name.substr(0, slash), rest};
}

// What the fixed fields cannot hold. Empty: plain ustar does.
class PaxNeeds {
 public:
  explicit PaxNeeds(const TarHeader& header) : records(header.pax) {
    if (!split_name(header.name)) text("path", header.name, field::name);
    text("linkpath", header.link, field::link);
    text("uname", header.user, field::user);
    text("gname", header.group, field::group);
    number("uid", header.uid, field::uid);
    number("gid", header.gid, field::gid);
    number("size", static_cast<std::int64_t>(header.size), field::size);
    if (!fits_octal(field::mtime, header.mtime.seconds) || header.mtime.nanoseconds != 0) {
      records["mtime"] = format_pax_time(header.mtime);
    }
    if (header.atime) records["atime"] = format_pax_time(*header.atime);
    if (header.ctime) records["ctime"] = format_pax_time(*header.ctime);
    // With an extended header, the name is not split but given there.
    if (!records.empty() && split_name(header.name)) records["path"] = header.name;
  }

  PaxRecords records;

 private:
  void text(const char* key, const std::string& value, TarField field) {
    if (value.find('\0') != std::string::npos) throw_invalid_tar("NUL in a name");
    if (value.size() > field.size || !is_ascii(value)) records[key] = value;
  }
  void number(const char* key, std::int64_t value, TarField field) {
    if (!fits_octal(field, value)) records[key] = std::to_string(value);
  }
};

// A name cut short in the middle of a directory must not look like one.
void set_cut_text(TarBlock& block, TarField field, std::string_view text) {
  auto cut = text.substr(0, field.size);
  if (cut.size() < text.size()) cut = cut.substr(0, cut.find_last_not_of('/') + 1);
  set_text(block, field, cut);
}

void set_number(TarBlock& block, TarField field, std::int64_t value) {
  set_octal(block, field, fits_octal(field, value) ? value : 0);
}

// Big-endian, with the first bit set.
void set_base256(TarBlock& block, TarField field, std::uint64_t value) {
  std::string bytes(field.size, '\0');
  for (auto byte = bytes.rbegin(); byte != bytes.rend(); ++byte, value >>= 8) {
    *byte = static_cast<char>(value & 0xff);
  }
  bytes.front() = '\x80';
  set_text(block, field, bytes);
}

TarBlock to_block(const TarHeader& header, bool with_pax) {
  TarBlock block{};
  const auto split = with_pax ? std::nullopt : split_name(header.name);
  set_cut_text(block, field::name, split ? std::string(split->name) : to_ascii(header.name));
  if (split) set_text(block, field::prefix, split->prefix);
  set_cut_text(block, field::link, to_ascii(header.link));
  set_cut_text(block, field::user, to_ascii(header.user));
  set_cut_text(block, field::group, to_ascii(header.group));
  const char type = static_cast<char>(header.type);
  set_text(block, field::type, {&type, 1});
  set_number(block, field::mode, header.mode);
  set_number(block, field::uid, header.uid);
  set_number(block, field::gid, header.gid);
  set_number(block, field::size, static_cast<std::int64_t>(header.size));
  set_number(block, field::mtime, header.mtime.seconds);
  set_number(block, field::device_major, header.device_major);
  set_number(block, field::device_minor, header.device_minor);
  set_text(block, field::magic, ustar_magic);
  set_checksum(block);
  return block;
}

std::string pax_header_name(std::string_view name) {
  const auto slash = name.rfind('/');
  const auto directory = slash == std::string_view::npos ? "" : name.substr(0, slash + 1);
  std::string result =
      clean_name(std::string(directory) + "/PaxHeaders.0/" + std::string(name.substr(directory.size())));
  if (name.starts_with('/')) result.insert(0, "/");
  result = to_ascii(result).substr(0, field::name.size);
  return result.substr(0, result.find_last_not_of('/') + 1);
}

}  // namespace

void TarWriter::put(io::Bytes data) {
  // Counted first: whoever cuts back must know that something may have been written.
  offset_ += data.size();
  out_.write(data);
}

void TarWriter::end_member() {
  if (left_ != 0) {
    throw Error(Kind::integrity, std::to_string(left_) + " bytes are missing in a member of a tar archive");
  }
  const TarBlock zero{};
  put(io::Bytes(zero).first(static_cast<std::size_t>(std::exchange(padding_, 0))));
}

void TarWriter::write_pax(const std::string& name, const std::string& records) {
  TarBlock block{};
  set_text(block, field::name, pax_header_name(name));
  set_text(block, field::type, "x");
  for (const auto field : {field::mode, field::uid, field::gid, field::mtime}) set_octal(block, field, 0);
  set_octal(block, field::size, static_cast<std::int64_t>(records.size()));
  set_text(block, field::magic, ustar_magic);
  set_checksum(block);
  put(block);
  put(io::as_bytes(records));
  padding_ = tar_padding(records.size());
  end_member();
}

void TarWriter::begin(const TarHeader& given) {
  end_member();
  TarHeader header = given;
  if (header.type == TarType::other) header.type = TarType::regular;
  if (header.type != TarType::regular) header.size = 0;
  const PaxNeeds needs(header);
  if (!needs.records.empty()) write_pax(header.name, format_pax(needs.records));
  put(to_block(header, !needs.records.empty()));
  left_ = header.size;
  padding_ = tar_padding(header.size);
}

void TarWriter::write(io::Bytes data) {
  if (data.size() > left_) throw Error(Kind::integrity, "a member of a tar archive is longer than announced");
  put(data);
  left_ -= data.size();
}

void TarWriter::begin_open() {
  end_member();
  put(TarBlock{});
  open_begin_ = offset_;
  left_ = std::numeric_limits<std::uint64_t>::max();
}

TarBlock TarWriter::end_open(TarHeader header) {
  header.size = offset_ - open_begin_;
  left_ = 0;
  padding_ = tar_padding(header.size);
  TarBlock block = to_block(header, false);
  if (!fits_octal(field::size, static_cast<std::int64_t>(header.size))) {
    set_base256(block, field::size, header.size);
    set_checksum(block);
  }
  return block;
}

void TarWriter::abandon(std::uint64_t offset) {
  offset_ = offset;
  left_ = 0;
  padding_ = 0;
}

void TarWriter::add(TarHeader header, std::string_view text) {
  header.size = text.size();
  begin(header);
  write(io::as_bytes(text));
}

void TarWriter::finish() {
  end_member();
  const TarBlock zero{};
  put(zero);
  put(zero);
}

}  // namespace lade::archive

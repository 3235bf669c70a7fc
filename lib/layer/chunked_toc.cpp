#include "layer/chunked_toc.hpp"

#include <fmt/format.h>

#include <array>
#include <charconv>

#include "archive/tar_split.hpp"
#include "base/error.hpp"
#include "config/base64.hpp"
#include "io/codec/codec.hpp"
#include "io/digester.hpp"
#include "spec/time.hpp"

namespace lade::layer {

namespace {

constexpr std::uint64_t toc_type = 1;
constexpr std::string_view footer_magic = "GNUlInUx";
constexpr std::string_view xattr_record = "SCHILY.xattr.";

[[noreturn]] void throw_invalid_position(std::string_view why) {
  throw Error(Kind::invalid_input, "invalid position of a TOC: " + std::string(why));
}

// Decimal numbers with ':' between.
template <std::size_t N>
std::array<std::uint64_t, N> colon_numbers(std::string_view text) {
  std::array<std::uint64_t, N> numbers{};
  const char* at = text.data();
  const char* const end = at + text.size();
  for (std::size_t i = 0; i < N; ++i) {
    if (i > 0 && (at == end || *at++ != ':')) throw_invalid_position("not enough numbers");
    const auto [next, error] = std::from_chars(at, end, numbers[i]);
    if (error != std::errc()) throw_invalid_position("not a number");
    at = next;
  }
  if (at != end) throw_invalid_position("more than numbers");
  return numbers;
}

const std::string* find_annotation(const spec::Annotations& annotations, std::string_view name) {
  const auto found = annotations.find(std::string(name));
  return found == annotations.end() || found->second.empty() ? nullptr : &found->second;
}

TocPart checked_part(std::uint64_t offset, std::uint64_t size, std::uint64_t plain_size) {
  if (offset == 0 || size == 0 || plain_size == 0) throw_invalid_position("it is empty");
  if (size > max_toc_size || plain_size > max_toc_size) throw_invalid_position("it is larger than 50 MiB");
  if (offset > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()))
    throw_invalid_position("number out of range");
  return {offset, size, plain_size};
}

void check_toc_type(std::uint64_t type) {
  if (type != toc_type) throw_invalid_position(fmt::format("a TOC of type {}", type));
}

std::uint64_t little_endian(io::Bytes bytes) {
  std::uint64_t value = 0;
  for (std::size_t i = 8; i-- > 0;) value = value << 8 | std::to_integer<std::uint64_t>(bytes[i]);
  return value;
}

void append_little_endian(std::string& text, std::uint64_t value) {
  for (int shift = 0; shift < 64; shift += 8) text += static_cast<char>(value >> shift & 0xFF);
}

std::string_view toc_type_name(archive::TarType type) {
  switch (type) {
    case archive::TarType::regular: return "reg";
    case archive::TarType::hard_link: return "hardlink";
    case archive::TarType::symlink: return "symlink";
    case archive::TarType::char_device: return "char";
    case archive::TarType::block_device: return "block";
    case archive::TarType::directory: return "dir";
    case archive::TarType::fifo: return "fifo";
    case archive::TarType::global_pax:
    case archive::TarType::other: break;
  }
  return "";
}

// The members of one entry; add() leaves out what Go's omitempty leaves out.
class TocEntryText {
 public:
  TocEntryText(std::string_view type, const std::string& name) {
    text_ = fmt::format(R"({{"type":"{}","name":{})", type, name);
  }
  void add(std::string_view member, std::uint64_t value) {
    if (value != 0) fmt::format_to(std::back_inserter(text_), R"(,"{}":{})", member, value);
  }
  void add_signed(std::string_view member, std::int64_t value) {
    if (value != 0) fmt::format_to(std::back_inserter(text_), R"(,"{}":{})", member, value);
  }
  // `json` is a string in its quotes, or an object.
  void add_json(std::string_view member, std::string_view json) {
    fmt::format_to(std::back_inserter(text_), R"(,"{}":{})", member, json);
  }
  void add_text(std::string_view member, std::string_view plain) {
    fmt::format_to(std::back_inserter(text_), R"(,"{}":"{}")", member, plain);
  }
  std::string end() && { return std::move(text_) + "}"; }

 private:
  std::string text_;
};

bool is_in_years(std::int64_t seconds) {
  constexpr std::int64_t year_0 = -62'167'219'200, year_10000 = 253'402'300'800;
  return seconds >= year_0 && seconds < year_10000;
}

bool add_toc_times(TocEntryText& entry, const archive::TarHeader& header) {
  const auto add = [&](std::string_view member, const archive::TarTime& time) {
    if (!is_in_years(time.seconds)) return false;
    entry.add_text(member, spec::format_time(time.seconds, time.nanoseconds));
    return true;
  };
  return add("modtime", header.mtime) && (!header.atime || add("accesstime", *header.atime)) &&
         (!header.ctime || add("changetime", *header.ctime));
}

bool add_toc_xattrs(TocEntryText& entry, const archive::PaxRecords& records) {
  std::string object;
  for (const auto& [key, value] : records) {
    if (!key.starts_with(xattr_record)) continue;
    const auto name = archive::json_string(std::string_view(key).substr(xattr_record.size()));
    if (!name) return false;
    object += fmt::format(R"({}{}:"{}")", object.empty() ? "{" : ",", *name, config::base64_encode(value));
  }
  if (!object.empty()) entry.add_json("xattrs", object + "}");
  return true;
}

void add_toc_chunk(TocEntryText& entry, const TocChunk& chunk, std::uint64_t file_offset) {
  entry.add("chunkSize", chunk.size);
  entry.add("chunkOffset", file_offset);
  entry.add_text("chunkDigest", chunk.digest.str());
  if (chunk.is_hole) entry.add_text("chunkType", "zeros");
}

}  // namespace

std::optional<spec::Digest> find_toc_digest(const spec::Annotations& annotations) {
  const auto* text = find_annotation(annotations, chunked_annotation::toc_digest);
  if (text == nullptr) return std::nullopt;
  auto digest = spec::Digest::parse(*text);
  if (digest.algorithm() != spec::Digest::Algorithm::sha256)
    throw Error(Kind::invalid_input, "the digest of a TOC is no sha256");
  return digest;
}

std::optional<TocPosition> find_toc_position(const spec::Annotations& annotations) {
  const auto* toc = find_annotation(annotations, chunked_annotation::toc_position);
  if (toc == nullptr) return std::nullopt;
  const auto [offset, size, plain_size, type] = colon_numbers<4>(*toc);
  check_toc_type(type);
  TocPosition position{checked_part(offset, size, plain_size), std::nullopt};
  if (const auto* split = find_annotation(annotations, chunked_annotation::tar_split_position)) {
    const auto [split_offset, split_size, split_plain] = colon_numbers<3>(*split);
    position.tar_split = checked_part(split_offset, split_size, split_plain);
  }
  return position;
}

spec::Annotations toc_annotations(const spec::Digest& toc_digest, const TocPosition& position) {
  const auto& [toc, tar_split] = position;
  spec::Annotations result{{std::string(chunked_annotation::toc_digest), toc_digest.str()},
                           {std::string(chunked_annotation::toc_position),
                            fmt::format("{}:{}:{}:{}", toc.offset, toc.size, toc.plain_size, toc_type)}};
  if (tar_split)
    result.emplace(chunked_annotation::tar_split_position,
                   fmt::format("{}:{}:{}", tar_split->offset, tar_split->size, tar_split->plain_size));
  return result;
}

TocPosition parse_toc_footer(io::Bytes footer) {
  if (footer.size() != toc_footer_size || io::as_text(footer.last(footer_magic.size())) != footer_magic)
    throw_invalid_position("there is no footer");
  std::array<std::uint64_t, 7> numbers{};
  for (std::size_t i = 0; i < numbers.size(); ++i) numbers[i] = little_endian(footer.subspan(i * 8, 8));
  check_toc_type(numbers[3]);
  TocPosition position{checked_part(numbers[0], numbers[1], numbers[2]), std::nullopt};
  if (numbers[4] != 0) position.tar_split = checked_part(numbers[4], numbers[5], numbers[6]);
  return position;
}

std::string format_toc_footer(const TocPosition& position) {
  std::string text;
  const TocPart tar_split = position.tar_split.value_or(TocPart());
  for (const std::uint64_t number : {position.toc.offset, position.toc.size, position.toc.plain_size,
                                     toc_type, tar_split.offset, tar_split.size, tar_split.plain_size})
    append_little_endian(text, number);
  return text += footer_magic;
}

void check_toc_position(const TocPosition& position, std::uint64_t blob_size) {
  if (position.toc.end() > blob_size) throw_invalid_position("it is behind the end of the blob");
  if (!position.tar_split) return;
  if (position.tar_split->offset < position.toc.end() || position.tar_split->end() > blob_size)
    throw_invalid_position("the tar-split is not between it and the end of the blob");
}

std::string unpack_toc(std::string_view compressed, const spec::Digest& digest, std::uint64_t plain_size) {
  if (const auto found = io::digest_of(compressed, digest.algorithm()); found != digest)
    throw Error(Kind::integrity,
                fmt::format("Digest did not match, expected {}, got {}", digest.str(), found.str()));
  const auto plain = io::decompress(io::make_text_reader(std::string(compressed)), io::Compression::zstd);
  std::string text = io::read_all(*plain, std::min(plain_size, max_toc_size), "TOC");
  if (text.size() != plain_size) throw Error(Kind::invalid_input, "the TOC is smaller than it was said");
  return text;
}

TocWriter::TocWriter(std::string& out) : out_(out) {
  out_ += R"({"version":1,"entries":[)";
}

bool TocWriter::add(const archive::TarHeader& header, std::int64_t mode, std::int64_t major,
                    std::int64_t minor, const TocFile* file) {
  const auto type = toc_type_name(header.type);
  const auto name = archive::json_string(header.name), link = archive::json_string(header.link);
  if (type.empty() || !name || !link) return false;
  TocEntryText entry(type, *name);
  if (!header.link.empty()) entry.add_json("linkName", *link);
  entry.add_signed("mode", mode);
  entry.add("size", header.size);
  entry.add("uid", header.uid);
  entry.add("gid", header.gid);
  if (!add_toc_times(entry, header)) return false;
  entry.add_signed("devMajor", major);
  entry.add_signed("devMinor", minor);
  if (!add_toc_xattrs(entry, header.pax)) return false;
  if (file != nullptr) {
    const auto& last = file->chunks.back();
    entry.add_text("digest", file->digest.str());
    entry.add("offset", file->chunks.front().blob_offset);
    entry.add("endOffset", last.blob_offset + last.blob_size);
    if (file->chunks.size() > 1) add_toc_chunk(entry, file->chunks.front(), 0);
  }
  out_ += first_ ? "" : ",";
  first_ = false;
  out_ += std::move(entry).end();
  if (file == nullptr) return true;
  std::uint64_t position = file->chunks.front().size;
  for (std::size_t i = 1; i < file->chunks.size(); ++i) {
    TocEntryText part("chunk", *name);
    part.add("offset", file->chunks[i].blob_offset);
    add_toc_chunk(part, file->chunks[i], position);
    position += file->chunks[i].size;
    out_ += ",";
    out_ += std::move(part).end();
  }
  return true;
}

void TocWriter::finish(const spec::Digest& tar_split) {
  out_ += fmt::format(R"(],"tarSplitDigest":"{}"}})", tar_split.str());
}

}  // namespace lade::layer

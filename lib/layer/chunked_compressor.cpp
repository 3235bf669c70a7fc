#include "layer/chunked_compressor.hpp"

#include <algorithm>
#include <string>
#include <vector>

#include "archive/name_set.hpp"
#include "archive/tar_block.hpp"
#include "archive/tar_reader.hpp"
#include "archive/tar_split.hpp"
#include "io/codec/zstd_frames.hpp"
#include "io/crc64.hpp"
#include "io/digester.hpp"
#include "layer/chunked_splitter.hpp"
#include "layer/chunked_toc.hpp"

namespace lade::layer {

namespace {

using archive::TarType;
namespace field = archive::field;

std::size_t count_of(std::string_view text, std::string_view word) {
  std::size_t count = 0;
  for (auto at = text.find(word); at != std::string_view::npos; at = text.find(word, at + 1)) ++count;
  return count;
}

archive::TarBlock last_block(std::string_view raw) {
  archive::TarBlock block{};
  const auto bytes = io::as_bytes(raw.substr(raw.size() - block.size()));
  std::ranges::copy(bytes, block.begin());
  return block;
}

bool starts_with_nul(const archive::TarBlock& block, archive::TarField where) {
  return archive::raw_field(block, where).front() == '\0';
}

// Whether Go's archive/tar reads the same from these headers as TarReader does: containers/storage refuses
// layers the TOC of which says something else. `raw` ends with the member's header.
bool is_read_alike(const archive::TarEntry& entry, std::string_view raw, const archive::TarBlock& block) {
  constexpr archive::TarField gnu_atime{345, 12}, gnu_ctime{357, 12};
  const auto& header = entry.header;
  const char type = archive::raw_field(block, field::type).front();
  const auto magic = archive::raw_field(block, field::magic);
  const bool is_ustar = magic == archive::ustar_magic, is_gnu = magic == archive::gnu_magic;
  if (header.type == TarType::global_pax || header.type == TarType::other || entry.sparse) return false;
  if (type != '\0' && (type < '0' || type > '6')) return false;
  if (header.type == TarType::regular && header.name.ends_with('/')) return false;
  if (type == '\0' && header.name.ends_with('/')) return false;
  if (header.type != TarType::regular && archive::number_field(block, field::size) != 0) return false;
  if (!is_ustar && !is_gnu && magic.starts_with("ustar")) return false;
  if (is_ustar && archive::raw_field(block, field::star_trailer) == std::string_view("tar\0", 4))
    return false;
  if (is_gnu && (!starts_with_nul(block, gnu_atime) || !starts_with_nul(block, gnu_ctime))) return false;
  // An attribute without a value is one to Go.
  constexpr std::string_view xattr = "SCHILY.xattr.";
  const auto xattrs = std::ranges::count_if(
      header.pax, [&](const auto& record) { return std::string_view(record.first).starts_with(xattr); });
  return count_of(raw, xattr) == static_cast<std::size_t>(xattrs);
}

// Compresses into memory as it is written.
class PackedText final : public io::Writer {
 public:
  explicit PackedText(int level) : frames_(level) {}
  void write(io::Bytes data) override {
    plain_size_ += data.size();
    frames_.write(data, packed_);
  }
  void finish() { frames_.end(packed_); }
  std::uint64_t plain_size() const { return plain_size_; }
  bool is_too_large() const { return plain_size_ > max_toc_size || packed_.size() > max_toc_size; }
  std::string_view packed() const { return io::as_text(packed_); }

 private:
  io::ZstdFrameWriter frames_;
  std::vector<std::byte> packed_;
  std::uint64_t plain_size_ = 0;
};

// What is known about the tar so far: TOC and tar-split.
struct ChunkedTables {
  explicit ChunkedTables(int level) : toc(level), tar_split(level) {}

  void flush_toc() {
    toc.write(io::as_bytes(toc_text));
    toc_text.clear();
  }

  PackedText toc, tar_split;
  std::string toc_text;
  TocWriter toc_writer{toc_text};
  archive::TarSplitWriter split_writer{tar_split, archive::TarSplitWriter::Packing::none};
  archive::NameSet names, directories;

  // containers/storage makes no directory that is not in the TOC.
  bool has_directory_of(const archive::TarHeader& header) {
    const std::string name = archive::clean_name(header.name);
    if (header.type == TarType::directory) directories.insert(archive::NameSet::hash(name));
    const auto slash = name.rfind('/');
    return slash == std::string::npos ||
           directories.contains(archive::NameSet::hash(std::string_view(name).substr(0, slash)));
  }
};

}  // namespace

class ChunkedCompressor::Impl final : private ChunkSplitter::Sink {
 public:
  Impl(std::unique_ptr<io::Reader> inner, int level)
      : inner_(std::move(inner)),
        tar_(*inner_, {.keep_raw = true}),
        frames_(level),
        content_(io::chunk_size) {
    tables_.emplace(level);
  }

  std::size_t read(io::Buffer buffer) {
    while (position_ == out_.size() && !ended_) {
      written_ += out_.size();
      out_.clear();
      position_ = 0;
      step();
    }
    const auto rest = io::Bytes(out_).subspan(position_);
    const auto part = rest.first(std::min(rest.size(), buffer.size()));
    std::ranges::copy(part, buffer.begin());
    position_ += part.size();
    return part.size();
  }

  const spec::Annotations& annotations() const { return annotations_; }

 private:
  std::uint64_t blob_offset() const { return written_ + out_.size(); }

  // Puts something into out_, or gets nearer to it.
  void step() {
    if (at_tail_) return copy_tail();
    if (entry_ != nullptr) return copy_content();
    entry_ = tar_.next();
    raw(io::as_bytes(raw_ = tar_.take_raw()));
    if (entry_ == nullptr) {
      at_tail_ = true;
    } else {
      begin_member();
    }
  }

  // What belongs to no file's content.
  void raw(io::Bytes data) {
    if (!data.empty()) is_empty_ = false;
    frames_.write(data, out_);
    if (tables_) tables_->split_writer.raw(data);
  }

  void begin_member() {
    header_ = last_block(raw_);
    in_file_ = false;
    file_.chunks.clear();
    // A header is to be in one segment of the tar-split.
    const bool fits = tables_ && raw_.size() < archive::TarSplitWriter::max_segment &&
                      is_read_alike(*entry_, raw_, header_) && tables_->has_directory_of(entry_->header) &&
                      archive::split_file(*entry_, tables_->names);
    if (!fits) tables_.reset();
    left_ = entry_->stored_size;
    if (left_ == 0) end_member();
  }

  void copy_content() {
    const auto count = tar_.read_stored(content_);
    const auto data = io::Bytes(content_).first(count);
    if (tables_) {
      if (!in_file_) begin_file();
      crc_.update(data);
      splitter_.feed(data);
    } else {
      frames_.write(data, out_);
    }
    left_ -= count;
    if (left_ == 0) end_member();
  }

  void begin_file() {
    in_file_ = true;
    frames_.end(out_);
    chunk_offset_ = blob_offset();
    file_digester_ = io::Digester();
    chunk_digester_ = io::Digester();
    chunk_size_ = 0;
    crc_ = {};
  }

  void end_member() {
    const auto* entry = std::exchange(entry_, nullptr);
    if (!tables_) return;
    if (in_file_) {
      splitter_.finish();
      file_.digest = file_digester_.finish();
    }
    tables_->split_writer.file(entry->header.name, entry->stored_size, in_file_ ? crc_.value() : 0);
    const bool is_told = tables_->toc_writer.add(entry->header, archive::number_field(header_, field::mode),
                                                 device(field::device_major), device(field::device_minor),
                                                 in_file_ ? &file_ : nullptr);
    tables_->flush_toc();
    if (!is_told || tables_->toc.is_too_large() || tables_->tar_split.is_too_large()) tables_.reset();
  }

  // v7 headers have none.
  std::int64_t device(archive::TarField where) const {
    return archive::raw_field(header_, field::magic).starts_with("ustar")
               ? archive::number_field(header_, where)
               : 0;
  }

  void data(io::Bytes data) override {
    file_digester_.update(data);
    chunk_digester_.update(data);
    frames_.write(data, out_);
    chunk_size_ += data.size();
  }

  void zeros(std::uint64_t count) override {
    static constexpr std::array<std::byte, 16 * 1024> zero{};
    while (count > 0) {
      const auto part = static_cast<std::size_t>(std::min<std::uint64_t>(count, zero.size()));
      data(io::Bytes(zero).first(part));
      count -= part;
    }
  }

  void end_chunk(bool is_hole) override {
    if (chunk_size_ == 0) return;
    frames_.end(out_);
    file_.chunks.push_back({chunk_size_, chunk_offset_, blob_offset() - chunk_offset_,
                            std::exchange(chunk_digester_, io::Digester()).finish(), is_hole});
    chunk_offset_ = blob_offset();
    chunk_size_ = 0;
  }

  // What follows the end marker.
  void copy_tail() {
    const auto count = inner_->read(content_);
    if (count > 0) return raw(io::Bytes(content_).first(count));
    frames_.end(out_, is_empty_);
    if (tables_ && !is_empty_) append_tables();
    ended_ = true;
  }

  void append_tables() {
    tables_->split_writer.finish();
    tables_->tar_split.finish();
    tables_->toc_writer.finish(io::digest_of(tables_->tar_split.packed()));
    tables_->flush_toc();
    tables_->toc.finish();
    if (tables_->toc.is_too_large() || tables_->tar_split.is_too_large()) return;
    TocPosition position;
    position.toc = append_part(tables_->toc);
    position.tar_split = append_part(tables_->tar_split);
    append_skippable(format_toc_footer(position));
    annotations_ = toc_annotations(io::digest_of(tables_->toc.packed()), position);
  }

  TocPart append_part(const PackedText& text) {
    const TocPart part{blob_offset() + skippable_head_size, text.packed().size(), text.plain_size()};
    append_skippable(text.packed());
    return part;
  }

  // RFC 8878 section 3.1.2: magic, size of 32 bits, content.
  void append_skippable(std::string_view content) {
    std::string head("\x50\x2A\x4D\x18", 4);
    for (int shift = 0; shift < 32; shift += 8) head += static_cast<char>(content.size() >> shift & 0xFF);
    for (const std::string_view part : {std::string_view(head), content}) {
      const auto bytes = io::as_bytes(part);
      out_.insert(out_.end(), bytes.begin(), bytes.end());
    }
  }

  std::unique_ptr<io::Reader> inner_;
  archive::TarReader tar_;
  io::ZstdFrameWriter frames_;
  ChunkSplitter splitter_{*this};
  std::optional<ChunkedTables> tables_;  // as long as there can be a TOC

  // The member that is being copied; nullptr between members.
  const archive::TarEntry* entry_ = nullptr;
  std::string raw_;
  archive::TarBlock header_{};
  std::uint64_t left_ = 0;
  bool in_file_ = false;
  TocFile file_{{}, 0, io::digest_of(""), {}};
  io::Digester file_digester_, chunk_digester_;
  io::Crc64 crc_;
  std::uint64_t chunk_offset_ = 0, chunk_size_ = 0;

  std::vector<std::byte> content_;
  std::vector<std::byte> out_;
  std::size_t position_ = 0;   // in out_
  std::uint64_t written_ = 0;  // before out_
  bool is_empty_ = true;  // not one byte has come
  bool at_tail_ = false;
  bool ended_ = false;
  spec::Annotations annotations_;
};

ChunkedCompressor::ChunkedCompressor(std::unique_ptr<io::Reader> tar, int level)
    : impl_(std::make_unique<Impl>(std::move(tar), level)) {}

ChunkedCompressor::~ChunkedCompressor() = default;

std::size_t ChunkedCompressor::read(io::Buffer buffer) {
  return impl_->read(buffer);
}

const spec::Annotations& ChunkedCompressor::annotations() const {
  return impl_->annotations();
}

}  // namespace lade::layer

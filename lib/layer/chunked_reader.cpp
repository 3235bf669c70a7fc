#include "layer/chunked_reader.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "archive/tar_split.hpp"
#include "base/error.hpp"
#include "io/codec/codec.hpp"
#include "io/codec/zstd_frames.hpp"
#include "io/digester.hpp"
#include "io/readers.hpp"

namespace lade::layer {

namespace {

// The fetched ranges as what they are parts of: positions are those in the blob.
class RangedBlob final : public io::Reader {
 public:
  RangedBlob(std::unique_ptr<io::Reader> inner, std::vector<io::ByteRange> ranges)
      : inner_(std::move(inner)), ranges_(std::move(ranges)) {}

  // Forward only.
  void seek(std::uint64_t offset) {
    while (current_ < ranges_.size() && ranges_[current_].end() <= offset) skip(ranges_[current_].end());
    if (current_ == ranges_.size() || offset < ranges_[current_].offset + done_)
      throw Error(Kind::integrity, "files of the layer are not in the order of its TOC");
    skip(offset);
  }

  std::size_t read(io::Buffer buffer) override {
    if (current_ == ranges_.size()) return 0;
    const auto want = std::min<std::uint64_t>(buffer.size(), ranges_[current_].size - done_);
    const auto count = inner_->read(buffer.first(static_cast<std::size_t>(want)));
    if (count == 0) throw Error(Kind::integrity, "the parts of the blob are shorter than asked for");
    done_ += count;
    if (done_ == ranges_[current_].size) {
      ++current_;
      done_ = 0;
    }
    return count;
  }

 private:
  void skip(std::uint64_t offset) {
    std::array<std::byte, 16 * 1024> dropped;
    const std::size_t range = current_;
    while (current_ == range && ranges_[range].offset + done_ < offset) {
      const auto left = offset - ranges_[range].offset - done_;
      read(
          io::Buffer(dropped).first(static_cast<std::size_t>(std::min<std::uint64_t>(left, dropped.size()))));
    }
  }

  std::unique_ptr<io::Reader> inner_;
  std::vector<io::ByteRange> ranges_;
  std::size_t current_ = 0;
  std::uint64_t done_ = 0;  // of the current one
};

struct PieceSources {
  PieceSources(RangedBlob ranged, ChunkedReader::OpenLocal open)
      : blob(std::move(ranged)), open_local(std::move(open)) {}

  RangedBlob blob;
  io::ZstdSectionReader frames{blob};
  ChunkedReader::OpenLocal open_local;
};

// The lines of a compressed tar-split; no more of them than was said.
class TarSplitLines final : public io::Reader {
 public:
  TarSplitLines(std::string compressed, std::uint64_t plain_size)
      : plain_(io::decompress(io::make_text_reader(std::move(compressed)), io::Compression::zstd)),
        limited_(*plain_, plain_size, "the tar-split") {}
  std::size_t read(io::Buffer buffer) override { return limited_.read(buffer); }

 private:
  std::unique_ptr<io::Reader> plain_;
  io::LimitedReader limited_;
};

void check_piece(const spec::Digest& expected, io::Digester& digester) {
  if (const auto found = digester.finish(); found != expected)
    throw Error(Kind::integrity,
                fmt::format("Digest did not match, expected {}, got {}", expected.str(), found.str()));
}

class PulledFileReader final : public io::Reader {
 public:
  // Nothing is owned.
  PulledFileReader(PieceSources& sources, const PulledFile& file) : sources_(sources), file_(file) {}

  std::size_t read(io::Buffer buffer) override {
    if (current_ == file_.pieces.size()) return 0;
    const PullPiece& piece = file_.pieces[current_];
    if (done_ == 0) begin(piece);
    const auto want = static_cast<std::size_t>(std::min<std::uint64_t>(buffer.size(), piece.size - done_));
    const auto room = buffer.first(want);
    const std::size_t count = read_piece(piece, room);
    if (count == 0) throw Error(Kind::integrity, "a part of a file is shorter than it should be");
    piece_digester_.update(room.first(count));
    if (file_.pieces.size() > 1) file_digester_.update(room.first(count));
    done_ += count;
    if (done_ == piece.size) end(piece);
    return count;
  }

 private:
  void begin(const PullPiece& piece) {
    piece_digester_ = io::Digester();
    if (piece.from == PullPiece::From::local) local_ = sources_.open_local(piece.local);
    if (piece.from != PullPiece::From::blob) return;
    sources_.blob.seek(piece.blob.offset);
    sources_.frames.begin(piece.blob.size);
  }

  std::size_t read_piece(const PullPiece& piece, io::Buffer room) {
    switch (piece.from) {
      case PullPiece::From::blob: return sources_.frames.read(room);
      case PullPiece::From::local: return local_->read(room);
      case PullPiece::From::zeros: std::ranges::fill(room, std::byte{0}); return room.size();
    }
    return 0;
  }

  void end(const PullPiece& piece) {
    std::array<std::byte, 1> more;
    if (piece.from == PullPiece::From::blob && sources_.frames.read(more) != 0)
      throw Error(Kind::integrity, "a part of a file is longer than it should be");
    local_.reset();
    check_piece(piece.digest, piece_digester_);
    done_ = 0;
    if (++current_ == file_.pieces.size() && current_ > 1) check_piece(file_.digest, file_digester_);
  }

  PieceSources& sources_;
  const PulledFile& file_;
  std::size_t current_ = 0;
  std::uint64_t done_ = 0;  // of the current piece
  std::unique_ptr<io::Reader> local_;
  io::Digester piece_digester_, file_digester_;
};

}  // namespace

class ChunkedReader::Impl {
 public:
  Impl(PackedTarSplit tar_split, PullPlan plan, std::unique_ptr<io::Reader> blob, OpenLocal open_local)
      : sources_(RangedBlob(std::move(blob), std::move(plan.ranges)), std::move(open_local)),
        files_(std::move(plan.files)),
        tar_(
            std::make_unique<TarSplitLines>(std::move(tar_split.bytes), tar_split.plain_size),
            [this](const std::string& name) { return open(name); }, io::Compression::none) {}

  std::size_t read(io::Buffer buffer) {
    const std::size_t count = tar_.read(buffer);
    if (count == 0 && opened_ != files_.size())
      throw Error(Kind::integrity, "the TOC has files that the tar-split has not");
    return count;
  }

 private:
  std::unique_ptr<io::Reader> open(const std::string& name) {
    const auto found = files_.find(name);
    if (found == files_.end()) throw Error(Kind::integrity, "the TOC has no file of this name");
    ++opened_;
    return std::make_unique<PulledFileReader>(sources_, found->second);
  }

  PieceSources sources_;
  std::unordered_map<std::string, PulledFile> files_;
  std::size_t opened_ = 0;
  archive::TarSplitReader tar_;
};

ChunkedReader::ChunkedReader(PackedTarSplit tar_split, PullPlan plan, std::unique_ptr<io::Reader> blob,
                             OpenLocal open_local)
    : impl_(std::make_unique<Impl>(std::move(tar_split), std::move(plan), std::move(blob),
                                   std::move(open_local))) {}

ChunkedReader::~ChunkedReader() = default;

std::size_t ChunkedReader::read(io::Buffer buffer) {
  return impl_->read(buffer);
}

}  // namespace lade::layer

#include "io/codec/codec.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <thread>

#include "base/error.hpp"
#include "io/codec/bzip2.hpp"
#include "io/codec/gzip_compressor.hpp"
#include "io/codec/gzip_inflater.hpp"
#include "io/codec/xz.hpp"
#include "io/codec/zstd.hpp"

namespace lade::io {

namespace {

struct Format {
  Compression compression;
  std::string_view name;
  std::string_view magic;
};

constexpr std::array formats{
    Format{Compression::gzip, "gzip", "\x1f\x8b\x08"},
    Format{Compression::zstd, "zstd", "\x28\xb5\x2f\xfd"},
    Format{Compression::xz, "xz",
           std::string_view("\xfd"
                            "7zXZ\0",
                            6)},
    Format{Compression::bzip2, "bzip2", "BZh"},
};

constexpr std::size_t longest_magic = 6;

// More threads than this gain nothing on a network and cost memory.
constexpr unsigned max_threads = 16;

struct Range {
  int lowest, highest, usual;
};

// The bytes of `head`, then what is left of `rest`.
class PrefixedReader final : public Reader {
 public:
  PrefixedReader(Bytes head, std::unique_ptr<Reader> rest, bool rest_ended)
      : size_(head.size()), rest_(std::move(rest)), rest_ended_(rest_ended) {
    std::copy(head.begin(), head.end(), head_.begin());
  }

  std::size_t read(Buffer buffer) override {
    if (position_ == size_) return rest_ended_ ? 0 : rest_->read(buffer);
    const std::size_t count = std::min(buffer.size(), size_ - position_);
    std::memcpy(buffer.data(), head_.data() + position_, count);
    position_ += count;
    return count;
  }

 private:
  std::array<std::byte, longest_magic> head_{};
  std::size_t size_;
  std::size_t position_ = 0;
  std::unique_ptr<Reader> rest_;
  bool rest_ended_;
};

int checked_level(const CompressOptions& options, Range range) {
  const int level = options.level.value_or(range.usual);
  if (level >= range.lowest && level <= range.highest) return level;
  throw Error(Kind::invalid_input, "compression level " + std::to_string(level) + " is out of range for " +
                                       std::string(name_of(options.format)) + ": " +
                                       std::to_string(range.lowest) + " to " + std::to_string(range.highest));
}

unsigned thread_count(const CompressOptions& options) {
  const unsigned wanted = options.threads != 0 ? options.threads : std::thread::hardware_concurrency();
  return std::clamp(wanted, 1U, max_threads);
}

std::unique_ptr<Reader> gunzip(std::unique_ptr<Reader> inner) {
  auto inflater = make_isal_inflater();
  if (!inflater) inflater = make_zlib_inflater();
  return make_gzip_reader(std::move(inner), std::move(inflater));
}

}  // namespace

std::string_view name_of(Compression compression) {
  for (const auto& format : formats) {
    if (format.compression == compression) return format.name;
  }
  return "none";
}

std::optional<Compression> compression_by_name(std::string_view name) {
  if (name == "none") return Compression::none;
  for (const auto& format : formats) {
    if (format.name == name) return format.compression;
  }
  return std::nullopt;
}

Compression detect_compression(Bytes head) {
  for (const auto& format : formats) {
    if (as_text(head).starts_with(format.magic)) return format.compression;
  }
  return Compression::none;
}

std::pair<std::unique_ptr<Reader>, Compression> detect(std::unique_ptr<Reader> inner) {
  std::array<std::byte, longest_magic> head;
  const std::size_t size = read_full(*inner, head);
  const Bytes found = Bytes(head).first(size);
  return {std::make_unique<PrefixedReader>(found, std::move(inner), size < head.size()),
          detect_compression(found)};
}

std::unique_ptr<Reader> decompress(std::unique_ptr<Reader> inner, Compression compression) {
  switch (compression) {
    case Compression::none: return inner;
    case Compression::gzip: return gunzip(std::move(inner));
    case Compression::zstd: return make_zstd_reader(std::move(inner));
    case Compression::xz: return make_xz_reader(std::move(inner));
    case Compression::bzip2: return make_bzip2_reader(std::move(inner));
  }
  throw Error(Kind::invalid_input, "unknown compression");
}

int compression_level(const CompressOptions& options) {
  switch (options.format) {
    case Compression::gzip: return checked_level(options, {1, 9, usual_gzip_level});
    case Compression::zstd: return checked_level(options, {1, 20, 3});
    case Compression::none:
    case Compression::xz:
    case Compression::bzip2: break;
  }
  throw Error(Kind::invalid_input, std::string(name_of(options.format)) + " has no compression level");
}

std::unique_ptr<Reader> compress(std::unique_ptr<Reader> inner, const CompressOptions& options) {
  const unsigned threads = thread_count(options);
  switch (options.format) {
    case Compression::none: return inner;
    case Compression::gzip:
      return make_gzip_compressor(std::move(inner), compression_level(options), threads);
    case Compression::zstd:
      return make_zstd_compressor(std::move(inner), compression_level(options), threads);
    case Compression::xz:
    case Compression::bzip2: break;
  }
  throw Error(Kind::unsupported,
              "compressing to " + std::string(name_of(options.format)) + " is not supported");
}

}  // namespace lade::io

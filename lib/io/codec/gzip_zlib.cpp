#include <zlib.h>

#include <algorithm>
#include <array>
#include <limits>
#include <new>

#include "base/error.hpp"
#include "io/codec/gzip_inflater.hpp"

namespace lade::io {

namespace {

uInt zlib_size(std::size_t size) {
  return static_cast<uInt>(std::min<std::size_t>(size, std::numeric_limits<uInt>::max()));
}

class ZlibInflater final : public GzipInflater {
 public:
  ZlibInflater() {
    // Negative: raw deflate, window of 32 KiB.
    if (inflateInit2(&stream_, -MAX_WBITS) != Z_OK) throw std::bad_alloc();
  }
  ZlibInflater(const ZlibInflater&) = delete;
  ZlibInflater& operator=(const ZlibInflater&) = delete;
  ~ZlibInflater() override { inflateEnd(&stream_); }

  void reset() override {
    inflateReset(&stream_);
    crc_ = crc32(0, nullptr, 0);
    size_ = 0;
    trailer_size_ = 0;
    inflating_ = true;
  }

  Step process(Bytes input, Buffer output) override {
    Step step;
    if (inflating_) step = inflate_some(input, output);
    if (!inflating_) {
      step.consumed += take_trailer(input.subspan(step.consumed));
      step.done = trailer_size_ == trailer_.size();
      if (step.done) check_trailer();
    }
    return step;
  }

 private:
  Step inflate_some(Bytes input, Buffer output) {
    stream_.next_in = const_cast<Bytef*>(reinterpret_cast<const Bytef*>(input.data()));
    stream_.avail_in = zlib_size(input.size());
    stream_.next_out = reinterpret_cast<Bytef*>(output.data());
    stream_.avail_out = zlib_size(output.size());
    const uInt given = stream_.avail_in;
    const uInt room = stream_.avail_out;
    const int result = inflate(&stream_, Z_NO_FLUSH);
    if (result == Z_MEM_ERROR) throw std::bad_alloc();
    if (result != Z_OK && result != Z_STREAM_END && result != Z_BUF_ERROR) {
      throw Error(Kind::integrity, "gzip: corrupt deflate data");
    }
    inflating_ = result != Z_STREAM_END;
    const uInt produced = room - stream_.avail_out;
    crc_ = crc32(crc_, reinterpret_cast<const Bytef*>(output.data()), produced);
    size_ += produced;
    return {given - stream_.avail_in, produced, false};
  }

  std::size_t take_trailer(Bytes input) {
    const std::size_t count = std::min(input.size(), trailer_.size() - trailer_size_);
    std::copy_n(input.begin(), count, trailer_.begin() + static_cast<std::ptrdiff_t>(trailer_size_));
    trailer_size_ += count;
    return count;
  }

  std::uint32_t little_endian(std::size_t offset) const {
    std::uint32_t value = 0;
    for (std::size_t i = 4; i-- > 0;)
      value = value << 8 | std::to_integer<std::uint32_t>(trailer_[offset + i]);
    return value;
  }

  void check_trailer() const {
    if (little_endian(0) != crc_ || little_endian(4) != size_) {
      throw Error(Kind::integrity, "gzip: invalid checksum");
    }
  }

  z_stream stream_{};
  uLong crc_ = 0;
  std::uint32_t size_ = 0;  // modulo 2^32, as the trailer has it
  std::array<std::byte, 8> trailer_{};
  std::size_t trailer_size_ = 0;
  bool inflating_ = true;
};

}  // namespace

std::unique_ptr<GzipInflater> make_zlib_inflater() {
  return std::make_unique<ZlibInflater>();
}

}  // namespace lade::io

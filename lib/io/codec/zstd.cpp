#include "io/codec/zstd.hpp"

#include <zstd.h>

#include <new>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "io/codec/buffered_input.hpp"

namespace lade::io {

namespace {

constexpr int max_window_log = 27;  // 128 MiB

// Inputs up to this size are compressed without starting threads.
constexpr std::size_t small_input = 1024 * 1024;
// Fixed, because the boundaries between jobs are visible in the output.
constexpr int job_size = 4 * 1024 * 1024;

struct FreeDecoder {
  void operator()(ZSTD_DCtx* context) const { ZSTD_freeDCtx(context); }
};

struct FreeEncoder {
  void operator()(ZSTD_CCtx* context) const { ZSTD_freeCCtx(context); }
};

std::size_t check(std::size_t result, Kind kind) {
  if (ZSTD_isError(result)) throw Error(kind, "zstd: " + std::string(ZSTD_getErrorName(result)));
  return result;
}

class ZstdReader final : public Reader {
 public:
  explicit ZstdReader(std::unique_ptr<Reader> inner) : input_(std::move(inner)), decoder_(ZSTD_createDCtx()) {
    if (!decoder_) throw std::bad_alloc();
    check(ZSTD_DCtx_setParameter(decoder_.get(), ZSTD_d_windowLogMax, max_window_log), Kind::system);
  }

  std::size_t read(Buffer buffer) override {
    for (;;) {
      const bool more = input_.fill();
      if (!more && between_frames_) return 0;
      const Bytes available = input_.available();
      ZSTD_inBuffer in{available.data(), available.size(), 0};
      ZSTD_outBuffer out{buffer.data(), buffer.size(), 0};
      between_frames_ = check(ZSTD_decompressStream(decoder_.get(), &out, &in), Kind::integrity) == 0;
      input_.consume(in.pos);
      if (out.pos != 0) return out.pos;
      if (!more && !between_frames_) throw Error(Kind::integrity, "zstd: unexpected end of the stream");
    }
  }

 private:
  BufferedInput input_;
  std::unique_ptr<ZSTD_DCtx, FreeDecoder> decoder_;
  bool between_frames_ = false;  // an empty stream is a truncated one
};

class ZstdCompressor final : public Reader {
 public:
  ZstdCompressor(std::unique_ptr<Reader> inner, int level, unsigned threads)
      : inner_(std::move(inner)), encoder_(ZSTD_createCCtx()), threads_(threads) {
    if (!encoder_) throw std::bad_alloc();
    set(ZSTD_c_compressionLevel, level);
    set(ZSTD_c_checksumFlag, 1);
  }

  std::size_t read(Buffer buffer) override {
    if (!begun_) begin();
    ZSTD_outBuffer out{buffer.data(), buffer.size(), 0};
    while (out.pos == 0 && !finished_) {
      if (!ended_ && in_.pos == in_.size) refill();
      const auto mode = ended_ ? ZSTD_e_end : ZSTD_e_continue;
      const std::size_t left = check(ZSTD_compressStream2(encoder_.get(), &out, &in_, mode), Kind::system);
      finished_ = ended_ && left == 0;
    }
    return out.pos;
  }

 private:
  void set(ZSTD_cParameter parameter, int value) {
    check(ZSTD_CCtx_setParameter(encoder_.get(), parameter, value), Kind::system);
  }

  // With workers the output is the same for any number of them, but differs from that without: whether they
  // are used depends on the length of the input alone. The size is never pledged, so that the parameters
  // depend on the level alone.
  void begin() {
    begun_ = true;
    input_.resize(small_input);
    in_ = {input_.data(), read_full(*inner_, input_), 0};
    exhausted_ = in_.size < small_input;
    if (exhausted_) return;
    set(ZSTD_c_nbWorkers, static_cast<int>(threads_));
    set(ZSTD_c_jobSize, job_size);
  }

  void refill() {
    in_ = {input_.data(), exhausted_ ? 0 : inner_->read(input_), 0};
    ended_ = in_.size == 0;
  }

  std::unique_ptr<Reader> inner_;
  std::unique_ptr<ZSTD_CCtx, FreeEncoder> encoder_;
  unsigned threads_;
  std::vector<std::byte> input_;
  ZSTD_inBuffer in_{nullptr, 0, 0};
  bool begun_ = false;
  bool exhausted_ = false;  // inner must not be read again
  bool ended_ = false;      // all input was given to the encoder
  bool finished_ = false;   // the frame is complete
};

}  // namespace

std::unique_ptr<Reader> make_zstd_reader(std::unique_ptr<Reader> inner) {
  return std::make_unique<ZstdReader>(std::move(inner));
}

std::unique_ptr<Reader> make_zstd_compressor(std::unique_ptr<Reader> inner, int level, unsigned threads) {
  return std::make_unique<ZstdCompressor>(std::move(inner), level, threads);
}

}  // namespace lade::io

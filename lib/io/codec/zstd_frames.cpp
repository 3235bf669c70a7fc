#include "io/codec/zstd_frames.hpp"

#include <zstd.h>

#include <algorithm>
#include <new>
#include <string>

#include "base/error.hpp"

namespace lade::io {

namespace {

// Frames up to this size are compressed in one go, with their size in the frame's head.
constexpr std::size_t small_frame = 256 * 1024;
constexpr int max_section_window_log = 27;  // 128 MiB

struct FreeFrameEncoder {
  void operator()(ZSTD_CCtx* context) const { ZSTD_freeCCtx(context); }
};
struct FreeFrameDecoder {
  void operator()(ZSTD_DCtx* context) const { ZSTD_freeDCtx(context); }
};

std::size_t check_frame(std::size_t result, Kind kind) {
  if (ZSTD_isError(result)) throw Error(kind, "zstd: " + std::string(ZSTD_getErrorName(result)));
  return result;
}

}  // namespace

struct ZstdFrameWriter::Impl {
  std::unique_ptr<ZSTD_CCtx, FreeFrameEncoder> encoder{ZSTD_createCCtx()};
  std::vector<std::byte> gathered;
  bool streaming = false;

  void stream(Bytes data, std::vector<std::byte>& out, ZSTD_EndDirective mode) {
    ZSTD_inBuffer in{data.data(), data.size(), 0};
    for (;;) {
      const std::size_t before = out.size();
      out.resize(before + ZSTD_CStreamOutSize());
      ZSTD_outBuffer room{out.data() + before, out.size() - before, 0};
      const std::size_t left =
          check_frame(ZSTD_compressStream2(encoder.get(), &room, &in, mode), Kind::system);
      out.resize(before + room.pos);
      if (mode == ZSTD_e_end ? left == 0 : in.pos == in.size) return;
    }
  }
};

ZstdFrameWriter::ZstdFrameWriter(int level) : impl_(std::make_unique<Impl>()) {
  if (!impl_->encoder) throw std::bad_alloc();
  const auto set = [&](ZSTD_cParameter parameter, int value) {
    check_frame(ZSTD_CCtx_setParameter(impl_->encoder.get(), parameter, value), Kind::system);
  };
  set(ZSTD_c_compressionLevel, level);
  set(ZSTD_c_checksumFlag, 1);
  impl_->gathered.reserve(small_frame);
}

ZstdFrameWriter::~ZstdFrameWriter() = default;

void ZstdFrameWriter::write(Bytes data, std::vector<std::byte>& out) {
  auto& gathered = impl_->gathered;
  if (!impl_->streaming) {
    const auto part = data.first(std::min(data.size(), small_frame - gathered.size()));
    gathered.insert(gathered.end(), part.begin(), part.end());
    data = data.subspan(part.size());
    if (data.empty()) return;
    impl_->streaming = true;
    impl_->stream(gathered, out, ZSTD_e_continue);
  }
  impl_->stream(data, out, ZSTD_e_continue);
}

void ZstdFrameWriter::end(std::vector<std::byte>& out, bool even_if_empty) {
  auto& gathered = impl_->gathered;
  if (impl_->streaming) {
    impl_->stream({}, out, ZSTD_e_end);
  } else if (!gathered.empty() || even_if_empty) {
    const std::size_t before = out.size();
    out.resize(before + ZSTD_compressBound(gathered.size()));
    const std::size_t size =
        check_frame(ZSTD_compress2(impl_->encoder.get(), out.data() + before, out.size() - before,
                                   gathered.data(), gathered.size()),
                    Kind::system);
    out.resize(before + size);
  }
  gathered.clear();
  impl_->streaming = false;
}

struct ZstdSectionReader::Impl {
  Reader& inner;
  std::unique_ptr<ZSTD_DCtx, FreeFrameDecoder> decoder{ZSTD_createDCtx()};
  std::vector<std::byte> buffer = std::vector<std::byte>(64 * 1024);
  ZSTD_inBuffer in{nullptr, 0, 0};
  std::uint64_t left = 0;  // of the section, not read from inner yet
  bool between_frames = true;

  bool fill() {
    if (in.pos < in.size) return true;
    if (left == 0) return false;
    const auto want = static_cast<std::size_t>(std::min<std::uint64_t>(left, buffer.size()));
    const std::size_t count = inner.read(Buffer(buffer).first(want));
    if (count == 0) throw Error(Kind::integrity, "zstd: unexpected end of the stream");
    left -= count;
    in = {buffer.data(), count, 0};
    return true;
  }
};

ZstdSectionReader::ZstdSectionReader(Reader& inner) : impl_(new Impl{inner}) {
  if (!impl_->decoder) throw std::bad_alloc();
  check_frame(ZSTD_DCtx_setParameter(impl_->decoder.get(), ZSTD_d_windowLogMax, max_section_window_log),
              Kind::system);
}

ZstdSectionReader::~ZstdSectionReader() = default;

void ZstdSectionReader::begin(std::uint64_t size) {
  while (impl_->left > 0) {
    impl_->in.pos = impl_->in.size;
    impl_->fill();
  }
  check_frame(ZSTD_DCtx_reset(impl_->decoder.get(), ZSTD_reset_session_only), Kind::system);
  impl_->in = {nullptr, 0, 0};
  impl_->left = size;
  impl_->between_frames = true;
}

std::size_t ZstdSectionReader::read(Buffer buffer) {
  for (;;) {
    const bool more = impl_->fill();
    if (!more && impl_->between_frames) return 0;
    ZSTD_outBuffer out{buffer.data(), buffer.size(), 0};
    const std::size_t at = impl_->in.pos;
    impl_->between_frames =
        check_frame(ZSTD_decompressStream(impl_->decoder.get(), &out, &impl_->in), Kind::integrity) == 0;
    if (out.pos != 0) return out.pos;
    if (!more && !impl_->between_frames && impl_->in.pos == at)
      throw Error(Kind::integrity, "zstd: unexpected end of the stream");
  }
}

}  // namespace lade::io

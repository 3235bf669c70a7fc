#include "io/codec/xz.hpp"

#include <lzma.h>

#include <string>

#include "base/error.hpp"
#include "io/codec/buffered_input.hpp"

namespace lade::io {

namespace {

// What a decoder with the largest dictionary takes, and a little more.
constexpr std::uint64_t xz_memory_limit = (128 << 20) + (1 << 20);

std::string_view xz_fault(lzma_ret result) {
  switch (result) {
    case LZMA_MEMLIMIT_ERROR: return "dictionary larger than 128 MiB";
    case LZMA_FORMAT_ERROR: return "not an xz stream";
    case LZMA_OPTIONS_ERROR: return "unsupported options";
    case LZMA_BUF_ERROR: return "unexpected end of stream";
    default: return "corrupt data";
  }
}

class XzReader final : public Reader {
 public:
  explicit XzReader(std::unique_ptr<Reader> inner) : input_(std::move(inner)) {
    check(lzma_stream_decoder(&stream_, xz_memory_limit, LZMA_CONCATENATED));
  }
  ~XzReader() override { lzma_end(&stream_); }

  std::size_t read(Buffer buffer) override {
    stream_.next_out = reinterpret_cast<std::uint8_t*>(buffer.data());
    stream_.avail_out = buffer.size();
    while (stream_.avail_out == buffer.size() && !ended_) step();
    return buffer.size() - stream_.avail_out;
  }

 private:
  void step() {
    const lzma_action action = input_.fill() ? LZMA_RUN : LZMA_FINISH;
    const Bytes available = input_.available();
    stream_.next_in = reinterpret_cast<const std::uint8_t*>(available.data());
    stream_.avail_in = available.size();
    const lzma_ret result = lzma_code(&stream_, action);
    input_.consume(available.size() - stream_.avail_in);
    ended_ = result == LZMA_STREAM_END;
    if (!ended_) check(result);
  }

  static void check(lzma_ret result) {
    if (result == LZMA_MEM_ERROR) throw std::bad_alloc();
    if (result != LZMA_OK) throw Error(Kind::integrity, "xz: " + std::string(xz_fault(result)));
  }

  BufferedInput input_;
  lzma_stream stream_ = LZMA_STREAM_INIT;
  bool ended_ = false;
};

}  // namespace

std::unique_ptr<Reader> make_xz_reader(std::unique_ptr<Reader> inner) {
  return std::make_unique<XzReader>(std::move(inner));
}

}  // namespace lade::io

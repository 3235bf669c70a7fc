#include "io/codec/bzip2.hpp"

#include <bzlib.h>

#include <algorithm>
#include <limits>
#include <string>

#include "base/error.hpp"
#include "io/codec/buffered_input.hpp"

namespace lade::io {

namespace {

unsigned bzip2_size(std::size_t size) {
  return static_cast<unsigned>(std::min<std::size_t>(size, std::numeric_limits<int>::max()));
}

class Bzip2Reader final : public Reader {
 public:
  explicit Bzip2Reader(std::unique_ptr<Reader> inner) : input_(std::move(inner)) { begin(); }
  ~Bzip2Reader() override { BZ2_bzDecompressEnd(&stream_); }

  std::size_t read(Buffer buffer) override {
    stream_.next_out = reinterpret_cast<char*>(buffer.data());
    const unsigned room = stream_.avail_out = bzip2_size(buffer.size());
    while (stream_.avail_out == room) {
      if (!input_.fill()) {
        if (!between_streams_) throw Error(Kind::integrity, "bzip2: unexpected end of stream");
        return 0;
      }
      step();
    }
    return room - stream_.avail_out;
  }

 private:
  void begin() {
    if (BZ2_bzDecompressInit(&stream_, 0, 0) != BZ_OK) throw std::bad_alloc();
  }

  void step() {
    const Bytes available = input_.available();
    // libbz2 does not write through it.
    stream_.next_in = const_cast<char*>(reinterpret_cast<const char*>(available.data()));
    const unsigned given = stream_.avail_in = bzip2_size(available.size());
    const int result = BZ2_bzDecompress(&stream_);
    input_.consume(given - stream_.avail_in);
    between_streams_ = result == BZ_STREAM_END;
    if (between_streams_) return restart();
    if (result == BZ_MEM_ERROR) throw std::bad_alloc();
    if (result != BZ_OK) {
      throw Error(Kind::integrity,
                  result == BZ_DATA_ERROR_MAGIC ? "bzip2: not a bzip2 stream" : "bzip2: corrupt data");
    }
  }

  void restart() {
    const auto [out, room] = std::pair(stream_.next_out, stream_.avail_out);
    BZ2_bzDecompressEnd(&stream_);
    stream_ = {};
    begin();
    stream_.next_out = out;
    stream_.avail_out = room;
  }

  BufferedInput input_;
  bz_stream stream_{};
  bool between_streams_ = false;
};

}  // namespace

std::unique_ptr<Reader> make_bzip2_reader(std::unique_ptr<Reader> inner) {
  return std::make_unique<Bzip2Reader>(std::move(inner));
}

}  // namespace lade::io

#include "io/codec/gzip_inflater.hpp"

#if LADE_HAVE_ISAL

#include <isa-l/igzip_lib.h>

#include <algorithm>
#include <limits>

#include "base/error.hpp"

namespace lade::io {

namespace {

std::uint32_t isal_size(std::size_t size) {
  return static_cast<std::uint32_t>(std::min<std::size_t>(size, std::numeric_limits<std::uint32_t>::max()));
}

class IsalInflater final : public GzipInflater {
 public:
  // ISA-L fails on headers that are split over two inputs, so it never sees one: NO_HDR_VER means "the header
  // is gone, check the trailer". It reads ahead into its own bit buffer, so the trailer must be left to it.
  void reset() override {
    isal_inflate_init(&state_);
    state_.crc_flag = ISAL_GZIP_NO_HDR_VER;
  }

  Step process(Bytes input, Buffer output) override {
    // The API is not const-correct; the input is only read.
    state_.next_in = const_cast<std::uint8_t*>(reinterpret_cast<const std::uint8_t*>(input.data()));
    state_.avail_in = isal_size(input.size());
    state_.next_out = reinterpret_cast<std::uint8_t*>(output.data());
    state_.avail_out = isal_size(output.size());
    const std::uint32_t given = state_.avail_in;
    const std::uint32_t room = state_.avail_out;
    const int result = isal_inflate(&state_);
    if (result == ISAL_INCORRECT_CHECKSUM) throw Error(Kind::integrity, "gzip: invalid checksum");
    if (result < 0) throw Error(Kind::integrity, "gzip: corrupt deflate data");
    return {given - state_.avail_in, room - state_.avail_out, state_.block_state == ISAL_BLOCK_FINISH};
  }

 private:
  inflate_state state_;
};

}  // namespace

std::unique_ptr<GzipInflater> make_isal_inflater() {
  return std::make_unique<IsalInflater>();
}

}  // namespace lade::io

#else

namespace lade::io {
std::unique_ptr<GzipInflater> make_isal_inflater() {
  return nullptr;
}
}  // namespace lade::io

#endif

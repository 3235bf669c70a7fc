#include <zlib.h>

#include <algorithm>
#include <utility>

#include "base/error.hpp"
#include "io/codec/buffered_input.hpp"
#include "io/codec/gzip_inflater.hpp"

namespace lade::io {

namespace {

[[noreturn]] void throw_truncated() {
  throw Error(Kind::integrity, "gzip: unexpected end of the stream");
}

[[noreturn]] void throw_invalid_header() {
  throw Error(Kind::integrity, "gzip: invalid header");
}

// The header of one member (RFC 1952 section 2.3), byte by byte so that it may be split anywhere.
class HeaderParser {
 public:
  explicit HeaderParser(BufferedInput& input) : input_(input) {}

  void parse() {
    if (take() != 0x1f || take() != 0x8b || take() != deflate_method) throw_invalid_header();
    const unsigned flags = take();
    if ((flags & reserved_flags) != 0) throw_invalid_header();
    skip(6);  // mtime, extra flags, operating system
    if ((flags & has_extra) != 0) skip(take_short());
    if ((flags & has_name) != 0) skip_string();
    if ((flags & has_comment) != 0) skip_string();
    if ((flags & has_crc) != 0) check_crc();
  }

 private:
  static constexpr unsigned deflate_method = 8;
  static constexpr unsigned has_crc = 2, has_extra = 4, has_name = 8, has_comment = 16, reserved_flags = 0xe0;

  unsigned take() {
    const auto byte = input_.next();
    if (!byte) throw_truncated();
    const auto value = static_cast<Bytef>(*byte);
    crc_ = crc32(crc_, &value, 1);
    return value;
  }

  unsigned take_short() {
    const unsigned low = take();
    return low | take() << 8;
  }

  void skip(unsigned count) {
    while (count-- > 0) take();
  }

  void skip_string() {
    while (take() != 0) {
    }
  }

  void check_crc() {
    const auto expected = static_cast<unsigned>(crc_ & 0xffff);
    if (take_short() != expected) throw_invalid_header();
  }

  BufferedInput& input_;
  uLong crc_ = crc32(0, nullptr, 0);
};

class GzipReader final : public Reader {
 public:
  GzipReader(std::unique_ptr<Reader> inner, std::unique_ptr<GzipInflater> inflater)
      : input_(std::move(inner)), inflater_(std::move(inflater)) {}

  std::size_t read(Buffer buffer) override {
    for (;;) {
      if (!in_member_ && !begin_member()) return 0;
      input_.fill();
      const auto step = inflater_->process(input_.available(), buffer);
      input_.consume(step.consumed);
      if (step.done) in_member_ = false;
      if (step.produced != 0) return step.produced;
      if (!step.done && step.consumed == 0) throw_truncated();
    }
  }

 private:
  // False at the end of the stream.
  bool begin_member() {
    const bool first = !std::exchange(begun_, true);
    if (!first && at_end()) return false;
    HeaderParser(input_).parse();
    inflater_->reset();
    return in_member_ = true;
  }

  // Tape and disk images pad gzip streams with zeros; gzip(1) ignores them.
  bool at_end() {
    if (input_.fill() && input_.available().front() != std::byte{0}) return false;
    while (input_.fill()) {
      const Bytes rest = input_.available();
      if (std::any_of(rest.begin(), rest.end(), [](std::byte byte) { return byte != std::byte{0}; })) {
        throw_invalid_header();
      }
      input_.consume(rest.size());
    }
    return true;
  }

  BufferedInput input_;
  std::unique_ptr<GzipInflater> inflater_;
  bool begun_ = false;
  bool in_member_ = false;
};

}  // namespace

std::unique_ptr<Reader> make_gzip_reader(std::unique_ptr<Reader> inner,
                                         std::unique_ptr<GzipInflater> inflater) {
  return std::make_unique<GzipReader>(std::move(inner), std::move(inflater));
}

}  // namespace lade::io

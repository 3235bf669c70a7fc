// Cuts the content of a file into chunks where the content itself says so, so that equal parts of two files
// become equal chunks: after a byte where the last 16 bits of a rolling checksum over 64 bytes (bup's, as
// other writers of zstd:chunked use it) are ones, and around runs of 1 KiB or more of zeros.
#pragma once

#include <array>
#include <cstdint>

#include "io/stream.hpp"

namespace lade::layer {

class ChunkSplitter {
 public:
  // What it finds, in order.
  class Sink {
   public:
    virtual ~Sink() = default;
    virtual void data(io::Bytes data) = 0;
    // Some of the zeros of a hole, which is a chunk of its own.
    virtual void zeros(std::uint64_t count) = 0;
    // A chunk ends; it may be empty.
    virtual void end_chunk(bool is_hole) = 0;
  };

  explicit ChunkSplitter(Sink& sink) : sink_(sink) {}  // not owned

  void feed(io::Bytes content);
  // The file ends, and its last chunk with it. The next feed() begins another file.
  void finish();

 private:
  static constexpr std::size_t window = 64;
  static constexpr std::uint64_t hole_threshold = 1024;
  static constexpr std::uint32_t char_offset = 31;
  static constexpr std::uint32_t boundary = 0xFFFF;

  // True at a boundary.
  bool roll(std::uint32_t byte) {
    std::uint32_t& slot = ring_[at_];
    at_ = (at_ + 1) % window;
    s1_ += byte - slot;
    s2_ += s1_ - static_cast<std::uint32_t>(window) * (slot + char_offset);
    slot = byte;
    return (s2_ & boundary) == boundary;
  }

  void reset();
  void short_zeros();
  void end_zeros();

  Sink& sink_;
  std::array<std::uint32_t, window> ring_{};
  std::size_t at_ = 0;
  std::uint32_t s1_ = window * char_offset;
  std::uint32_t s2_ = window * (window - 1) * char_offset;
  // Zeros at the end of what was fed: not handed on yet while they are fewer than a hole.
  std::uint64_t zeros_ = 0;
};

}  // namespace lade::layer

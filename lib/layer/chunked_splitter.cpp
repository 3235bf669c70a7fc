#include "layer/chunked_splitter.hpp"

#include <algorithm>
#include <utility>

namespace lade::layer {

namespace {

constexpr std::array<std::byte, 1024> zero_bytes{};

}  // namespace

void ChunkSplitter::reset() {
  ring_ = {};
  at_ = 0;
  s1_ = window * char_offset;
  s2_ = window * (window - 1) * char_offset;
}

// They are data like any other.
void ChunkSplitter::short_zeros() {
  const auto count = static_cast<std::size_t>(std::exchange(zeros_, 0));
  std::size_t begin = 0;
  for (std::size_t i = 0; i < count; ++i) {
    if (!roll(0)) continue;
    sink_.data(io::Bytes(zero_bytes).first(i + 1 - begin));
    sink_.end_chunk(false);
    begin = i + 1;
  }
  if (begin < count) sink_.data(io::Bytes(zero_bytes).first(count - begin));
}

void ChunkSplitter::end_zeros() {
  if (zeros_ < hole_threshold) return short_zeros();
  sink_.end_chunk(true);
  zeros_ = 0;
}

void ChunkSplitter::feed(io::Bytes content) {
  const std::byte* at = content.data();
  const std::byte* const end = at + content.size();
  const std::byte* begin = at;  // of data not handed on yet
  const auto hand_on = [&] {
    if (begin < at) sink_.data({begin, at});
    begin = at;
  };
  while (at < end) {
    const bool is_zero = *at == std::byte{0};
    if (!is_zero && zeros_ > 0) end_zeros();
    if (!is_zero) {
      const bool ends = roll(std::to_integer<std::uint32_t>(*at++));
      if (!ends) continue;
      hand_on();
      sink_.end_chunk(false);
      continue;
    }
    const std::byte* const run_end =
        std::find_if(at, end, [](std::byte byte) { return byte != std::byte{0}; });
    const auto run = static_cast<std::uint64_t>(run_end - at);
    // The whole run is in sight: no need to take it out of the data.
    if (zeros_ == 0 && run_end < end && run < hole_threshold) {
      while (at < run_end) {
        ++at;
        if (!roll(0)) continue;
        hand_on();
        sink_.end_chunk(false);
      }
      continue;
    }
    hand_on();
    const bool was_hole = zeros_ >= hole_threshold;
    zeros_ += run;
    at = begin = run_end;
    if (zeros_ < hole_threshold) continue;
    if (!was_hole) sink_.end_chunk(false);
    sink_.zeros(was_hole ? run : zeros_);
    // Of a window full of zeros, one more changes nothing.
    for (std::size_t i = 0; i < window; ++i) roll(0);
  }
  hand_on();
}

void ChunkSplitter::finish() {
  const bool in_hole = zeros_ >= hole_threshold;
  end_zeros();
  if (!in_hole) sink_.end_chunk(false);
  reset();
}

}  // namespace lade::layer

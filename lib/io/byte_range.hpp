// A part of something that has bytes.
#pragma once

#include <cstdint>

namespace lade::io {

// Bytes [offset, offset + size).
struct ByteRange {
  std::uint64_t offset = 0, size = 0;
  std::uint64_t end() const { return offset + size; }
  bool operator==(const ByteRange&) const = default;
};

}  // namespace lade::io

// CRC-64/GO-ISO, the checksum of file contents in tar-split: polynomial 0xD800000000000000 reflected, all
// ones before and after. ISA-L where there is one; a table otherwise, with the same results.
#pragma once

#include <cstdint>

#include "io/stream.hpp"

namespace lade::io {

class Crc64 {
 public:
  void update(Bytes data);
  // Of all that was fed so far; 0 for nothing.
  std::uint64_t value() const { return value_; }

 private:
  std::uint64_t value_ = 0;
};

// The portable implementation: `crc` is that of what came before, 0 at the start.
std::uint64_t crc64_by_table(std::uint64_t crc, Bytes data);

}  // namespace lade::io

#include "io/crc64.hpp"

#if LADE_HAVE_ISAL
#include <isa-l/crc64.h>
#endif

#include <array>
#include <bit>
#include <cstring>

namespace lade::io {

namespace {

constexpr std::uint64_t crc64_polynomial = 0xD800'0000'0000'0000;
constexpr std::size_t crc64_stride = 8;

using Crc64Table = std::array<std::array<std::uint64_t, 256>, crc64_stride>;

// Row k: what a byte does k bytes later.
constexpr Crc64Table make_crc64_table() {
  Crc64Table table{};
  for (std::uint64_t byte = 0; byte < 256; ++byte) {
    std::uint64_t crc = byte;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) != 0 ? crc64_polynomial : 0);
    table[0][byte] = crc;
  }
  for (std::size_t row = 1; row < crc64_stride; ++row)
    for (std::size_t byte = 0; byte < 256; ++byte)
      table[row][byte] = table[0][table[row - 1][byte] & 0xFF] ^ (table[row - 1][byte] >> 8);
  return table;
}

constexpr Crc64Table crc64_table = make_crc64_table();

}  // namespace

std::uint64_t crc64_by_table(std::uint64_t crc, Bytes data) {
  crc = ~crc;
  if constexpr (std::endian::native == std::endian::little) {
    for (; data.size() >= crc64_stride; data = data.subspan(crc64_stride)) {
      std::uint64_t word = 0;
      std::memcpy(&word, data.data(), sizeof word);
      word ^= crc;
      crc = 0;
      for (std::size_t i = 0; i < crc64_stride; ++i)
        crc ^= crc64_table[crc64_stride - 1 - i][(word >> (8 * i)) & 0xFF];
    }
  }
  for (const std::byte byte : data)
    crc = crc64_table[0][(crc ^ std::to_integer<std::uint64_t>(byte)) & 0xFF] ^ (crc >> 8);
  return ~crc;
}

void Crc64::update(Bytes data) {
#if LADE_HAVE_ISAL
  // ISA-L, too, takes and gives the inverted value.
  value_ = ::crc64_iso_refl(value_, reinterpret_cast<const unsigned char*>(data.data()), data.size());
#else
  value_ = crc64_by_table(value_, data);
#endif
}

}  // namespace lade::io

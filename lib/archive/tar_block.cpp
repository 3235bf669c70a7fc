#include "archive/tar_block.hpp"

#include <algorithm>
#include <charconv>
#include <limits>

#include "archive/pax.hpp"

namespace lade::archive {

namespace {

// Big-endian two's complement in all bits but the first.
std::int64_t parse_base256(std::string_view bytes) {
  const auto first = static_cast<unsigned char>(bytes.front());
  const unsigned char invert = (first & 0x40) != 0 ? 0xff : 0;
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    auto byte = static_cast<unsigned char>(static_cast<unsigned char>(bytes[i]) ^ invert);
    if (i == 0) byte &= 0x7f;
    if (value >> 56 != 0) throw_invalid_tar("number out of range");
    value = value << 8 | byte;
  }
  if (value >> 63 != 0) throw_invalid_tar("number out of range");
  return invert != 0 ? ~static_cast<std::int64_t>(value) : static_cast<std::int64_t>(value);
}

std::int64_t parse_octal(std::string_view bytes) {
  const auto is_blank = [](char c) { return c == ' ' || c == '\0'; };
  while (!bytes.empty() && is_blank(bytes.front())) bytes.remove_prefix(1);
  bytes = bytes.substr(0, bytes.find('\0'));
  while (!bytes.empty() && is_blank(bytes.back())) bytes.remove_suffix(1);
  if (bytes.empty()) return 0;
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(bytes.data(), bytes.data() + bytes.size(), value, 8);
  if (error != std::errc() || end != bytes.data() + bytes.size() || value < 0) {
    throw_invalid_tar("malformed number");
  }
  return value;
}

// Sums of the bytes with the checksum field read as blanks.
struct Checksums {
  std::int64_t as_unsigned = 0;
  std::int64_t as_signed = 0;
};

Checksums checksums(const TarBlock& block) {
  Checksums sums;
  for (std::size_t i = 0; i < block.size(); ++i) {
    const bool in_field = i >= field::checksum.offset && i < field::checksum.offset + field::checksum.size;
    const auto byte = in_field ? static_cast<unsigned char>(' ') : std::to_integer<unsigned char>(block[i]);
    sums.as_unsigned += byte;
    sums.as_signed += static_cast<signed char>(byte);
  }
  return sums;
}

}  // namespace

std::string_view raw_field(const TarBlock& block, TarField field) {
  return {reinterpret_cast<const char*>(block.data()) + field.offset, field.size};
}

std::string_view text_field(const TarBlock& block, TarField field) {
  const auto raw = raw_field(block, field);
  return raw.substr(0, raw.find('\0'));
}

std::int64_t number_field(const TarBlock& block, TarField field) {
  const auto raw = raw_field(block, field);
  return (static_cast<unsigned char>(raw.front()) & 0x80) != 0 ? parse_base256(raw) : parse_octal(raw);
}

bool fits_octal(TarField field, std::int64_t value) {
  return value >= 0 && value < std::int64_t{1} << (field.size - 1) * 3;
}

void set_octal(TarBlock& block, TarField field, std::int64_t value) {
  std::string digits(field.size - 1, '0');
  for (auto digit = digits.rbegin(); digit != digits.rend(); ++digit, value /= 8) {
    *digit = static_cast<char>('0' + value % 8);
  }
  set_text(block, field, digits);
}

void set_text(TarBlock& block, TarField field, std::string_view text) {
  const auto bytes = std::as_bytes(std::span(text.substr(0, field.size)));
  std::copy(bytes.begin(), bytes.end(), block.begin() + static_cast<std::ptrdiff_t>(field.offset));
}

bool is_zero(const TarBlock& block) {
  return std::all_of(block.begin(), block.end(), [](std::byte byte) { return byte == std::byte{0}; });
}

bool checksum_matches(const TarBlock& block) {
  const auto stored = number_field(block, field::checksum);
  const auto sums = checksums(block);
  return stored == sums.as_unsigned || stored == sums.as_signed;
}

void set_checksum(TarBlock& block) {
  // Six digits, NUL, blank: as every tar has it.
  const auto sum = checksums(block).as_unsigned;
  set_octal(block, {field::checksum.offset, field::checksum.size - 1}, sum);
  set_text(block, {field::checksum.offset + field::checksum.size - 1, 1}, " ");
}

}  // namespace lade::archive

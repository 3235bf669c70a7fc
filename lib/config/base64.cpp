#include "config/base64.hpp"

#include <cstdint>

namespace lade::config {

namespace {

constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

}  // namespace

std::string base64_encode(std::string_view bytes) {
  std::string result;
  result.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const auto part = bytes.substr(i, 3);
    std::uint32_t bits = 0;
    for (std::size_t k = 0; k < 3; ++k)
      bits = bits << 8 | (k < part.size() ? static_cast<unsigned char>(part[k]) : 0U);
    for (std::size_t k = 0; k < 4; ++k)
      result += k <= part.size() ? alphabet[bits >> (18 - 6 * k) & 63] : '=';
  }
  return result;
}

std::optional<std::string> base64_decode(std::string_view text) {
  std::string result;
  std::uint32_t bits = 0;
  unsigned digits = 0, padding = 0;
  for (const char c : text) {
    if (c == '\r' || c == '\n') continue;
    const auto value = alphabet.find(c);
    if (c == '=') {
      ++padding;
    } else if (value == std::string_view::npos || padding > 0) {
      return std::nullopt;
    } else {
      bits = bits << 6 | static_cast<std::uint32_t>(value);
      if (++digits % 4 != 0) continue;
      for (int shift = 16; shift >= 0; shift -= 8) result += static_cast<char>(bits >> shift & 0xFF);
    }
  }
  const unsigned rest = digits % 4;
  if (rest == 1 || padding != (rest == 0 ? 0 : 4 - rest)) return std::nullopt;
  if (rest >= 2) result += static_cast<char>(bits >> (rest == 2 ? 4 : 10) & 0xFF);
  if (rest == 3) result += static_cast<char>(bits >> 2 & 0xFF);
  return result;
}

}  // namespace lade::config

#include "config/base64.hpp"

#include <array>
#include <cstdint>

namespace lade::config {

namespace {

constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::uint8_t base64_invalid = 0xFF;

constexpr std::array<std::uint8_t, 256> make_base64_values() {
  std::array<std::uint8_t, 256> values{};
  values.fill(base64_invalid);
  for (std::size_t i = 0; i < alphabet.size(); ++i)
    values[static_cast<unsigned char>(alphabet[i])] = static_cast<std::uint8_t>(i);
  return values;
}

constexpr std::array<std::uint8_t, 256> base64_values = make_base64_values();

}  // namespace

std::string base64_encode(std::string_view bytes) {
  std::string result((bytes.size() + 2) / 3 * 4, '=');
  char* out = result.data();
  std::size_t i = 0;
  const auto byte = [&bytes](std::size_t at) { return std::uint32_t{static_cast<unsigned char>(bytes[at])}; };
  for (; i + 3 <= bytes.size(); i += 3) {
    const std::uint32_t bits = byte(i) << 16 | byte(i + 1) << 8 | byte(i + 2);
    for (int shift = 18; shift >= 0; shift -= 6) *out++ = alphabet[bits >> shift & 63];
  }
  if (const std::size_t rest = bytes.size() - i; rest > 0) {
    const std::uint32_t bits = byte(i) << 16 | (rest == 2 ? byte(i + 1) << 8 : 0);
    for (std::size_t k = 0; k <= rest; ++k) *out++ = alphabet[bits >> (18 - 6 * k) & 63];
  }
  return result;
}

std::optional<std::string> base64_decode(std::string_view text) {
  std::string result;
  result.reserve(text.size() / 4 * 3);
  std::uint32_t bits = 0;
  unsigned digits = 0, padding = 0;
  for (const char c : text) {
    if (c == '\r' || c == '\n') continue;
    const std::uint8_t value = base64_values[static_cast<unsigned char>(c)];
    if (c == '=') {
      ++padding;
    } else if (value == base64_invalid || padding > 0) {
      return std::nullopt;
    } else {
      bits = bits << 6 | value;
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

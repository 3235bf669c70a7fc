// NaCl's crypto_secretbox (XSalsa20 and Poly1305): what cosign keeps private keys in.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace lade::trust {

inline constexpr std::size_t secretbox_key_size = 32;
inline constexpr std::size_t secretbox_nonce_size = 24;

// Sizes of key and nonce MUST be those above. The box is 16 bytes longer than the text.
std::string seal_secretbox(std::string_view text, std::string_view nonce, std::string_view key);
// nullopt: another key, or another box.
std::optional<std::string> open_secretbox(std::string_view box, std::string_view nonce, std::string_view key);

}  // namespace lade::trust

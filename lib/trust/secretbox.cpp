#include "trust/secretbox.hpp"

#include <openssl/crypto.h>

#include <array>
#include <bit>
#include <cstdint>

#include "base/error.hpp"
#include "trust/openssl_handles.hpp"

namespace lade::trust {

namespace {

using SalsaState = std::array<std::uint32_t, 16>;
using MacAlgorithm = std::unique_ptr<EVP_MAC, FreeBy<EVP_MAC_free>>;
using MacHandle = std::unique_ptr<EVP_MAC_CTX, FreeBy<EVP_MAC_CTX_free>>;

constexpr std::size_t tag_size = 16, block_size = 64, mac_key_size = 32;

std::uint32_t load_word(std::string_view bytes, std::size_t at) {
  std::uint32_t word = 0;
  for (std::size_t i = 4; i-- > 0;) word = word << 8 | static_cast<unsigned char>(bytes[at + i]);
  return word;
}

void store_word(std::string& out, std::uint32_t word) {
  for (int i = 0; i < 4; ++i, word >>= 8) out.push_back(static_cast<char>(word & 0xff));
}

// "Salsa20 specification", section 2: key, 16 bytes of input, and the constants "expand 32-byte k".
SalsaState salsa_state(std::string_view key, std::string_view input) {
  SalsaState state{0x61707865, 0, 0, 0, 0, 0x3320646e, 0, 0, 0, 0, 0x79622d32, 0, 0, 0, 0, 0x6b206574};
  for (std::size_t i = 0; i < 4; ++i) {
    state[1 + i] = load_word(key, 4 * i);
    state[11 + i] = load_word(key, 16 + 4 * i);
    state[6 + i] = load_word(input, 4 * i);
  }
  return state;
}

void quarter_round(SalsaState& s, int a, int b, int c, int d) {
  s[b] ^= std::rotl(s[a] + s[d], 7);
  s[c] ^= std::rotl(s[b] + s[a], 9);
  s[d] ^= std::rotl(s[c] + s[b], 13);
  s[a] ^= std::rotl(s[d] + s[c], 18);
}

void twenty_rounds(SalsaState& s) {
  for (int i = 0; i < 10; ++i) {
    quarter_round(s, 0, 4, 8, 12);
    quarter_round(s, 5, 9, 13, 1);
    quarter_round(s, 10, 14, 2, 6);
    quarter_round(s, 15, 3, 7, 11);
    quarter_round(s, 0, 1, 2, 3);
    quarter_round(s, 5, 6, 7, 4);
    quarter_round(s, 10, 11, 8, 9);
    quarter_round(s, 15, 12, 13, 14);
  }
}

// "Extending the Salsa20 nonce", section 2.
std::string hsalsa20(std::string_view key, std::string_view input) {
  SalsaState state = salsa_state(key, input);
  twenty_rounds(state);
  std::string result;
  for (const int i : {0, 5, 10, 15, 6, 7, 8, 9}) store_word(result, state[static_cast<std::size_t>(i)]);
  return result;
}

// The key stream of XSalsa20, a multiple of 64 bytes.
std::string xsalsa20_stream(std::size_t size, std::string_view nonce, std::string_view key) {
  std::string subkey = hsalsa20(key, nonce.substr(0, 16));
  std::string result;
  for (std::uint64_t block = 0; result.size() < size; ++block) {
    std::string input(nonce.substr(16));
    store_word(input, static_cast<std::uint32_t>(block));
    store_word(input, static_cast<std::uint32_t>(block >> 32));
    const SalsaState initial = salsa_state(subkey, input);
    SalsaState state = initial;
    twenty_rounds(state);
    for (std::size_t i = 0; i < state.size(); ++i) store_word(result, state[i] + initial[i]);
  }
  OPENSSL_cleanse(subkey.data(), subkey.size());
  return result;
}

std::string poly1305(std::string_view message, std::string_view key) {
  const MacAlgorithm algorithm(EVP_MAC_fetch(nullptr, "POLY1305", nullptr));
  const MacHandle mac(algorithm ? EVP_MAC_CTX_new(algorithm.get()) : nullptr);
  std::string tag(tag_size, '\0');
  std::size_t written = 0;
  if (!mac || EVP_MAC_init(mac.get(), bytes_of(key), key.size(), nullptr) != 1 ||
      EVP_MAC_update(mac.get(), bytes_of(message), message.size()) != 1 ||
      EVP_MAC_final(mac.get(), reinterpret_cast<unsigned char*>(tag.data()), &written, tag.size()) != 1) {
    ERR_clear_error();
    throw Error(Kind::system, "OpenSSL has no Poly1305");
  }
  return tag;
}

std::string xor_with(std::string_view text, std::string_view stream) {
  std::string result(text);
  for (std::size_t i = 0; i < result.size(); ++i) result[i] = static_cast<char>(result[i] ^ stream[i]);
  return result;
}

}  // namespace

std::string seal_secretbox(std::string_view text, std::string_view nonce, std::string_view key) {
  const std::string stream = xsalsa20_stream(mac_key_size + text.size(), nonce, key);
  const std::string cipher = xor_with(text, std::string_view(stream).substr(mac_key_size));
  return poly1305(cipher, stream.substr(0, mac_key_size)) + cipher;
}

std::optional<std::string> open_secretbox(std::string_view box, std::string_view nonce,
                                          std::string_view key) {
  if (box.size() < tag_size) return std::nullopt;
  const auto cipher = box.substr(tag_size);
  const std::string stream = xsalsa20_stream(mac_key_size + cipher.size(), nonce, key);
  const std::string tag = poly1305(cipher, stream.substr(0, mac_key_size));
  if (CRYPTO_memcmp(tag.data(), box.data(), tag_size) != 0) return std::nullopt;
  return xor_with(cipher, std::string_view(stream).substr(mac_key_size));
}

}  // namespace lade::trust

// How one layer is encrypted: what its recipients get wrapped and what everybody may read (the private and
// public options of ocicrypt's blockcipher).
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "spec/digest.hpp"

namespace lade::crypt {

inline constexpr std::string_view layer_cipher_name = "AES_256_CTR_HMAC_SHA256";
inline constexpr std::size_t layer_key_size = 32;
inline constexpr std::size_t layer_nonce_size = 16;
inline constexpr std::size_t layer_hmac_size = 32;

// Bytes that are overwritten when they are no longer needed.
class Secret {
 public:
  Secret() = default;
  explicit Secret(std::string bytes) : bytes_(std::move(bytes)) {}
  Secret(const Secret&) = default;
  Secret& operator=(const Secret&) = default;
  Secret(Secret&&) = default;
  Secret& operator=(Secret&&) = default;
  ~Secret();
  const std::string& bytes() const { return bytes_; }

 private:
  std::string bytes_;
};

// Key and nonce of one layer; the same key is that of the HMAC.
struct LayerKey {
  Secret key;
  std::string nonce;
  // Kind::system without entropy.
  static LayerKey generate();
};

struct LayerSecret {
  LayerKey key;
  // Of the layer before it was encrypted, as its writer says; nullopt if that says nothing.
  std::optional<spec::Digest> digest;

  std::string serialize() const;
  // Kind::invalid_input. The nonce may be missing: older ones are public.
  static LayerSecret parse(std::string_view text);
};

struct PublicOptions {
  std::string hmac;   // of the encrypted bytes
  std::string nonce;  // "": it is in the secret

  std::string serialize() const;
  // Kind::invalid_input; Kind::unsupported for another cipher.
  static PublicOptions parse(std::string_view text);
};

}  // namespace lade::crypt

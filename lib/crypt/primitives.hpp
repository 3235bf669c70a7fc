// Symmetric primitives on short texts, by OpenSSL. Keys and results are bytes in a std::string.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace lade::crypt {

// Kind::system if there is no entropy.
std::string random_bytes(std::size_t size);

// Overwrites a secret before its memory is given back.
void wipe(std::string& secret) noexcept;
bool equal_in_constant_time(std::string_view a, std::string_view b);

struct Sealed {
  std::string ciphertext, tag;  // the tag has 16 bytes
};

// AES-GCM with a key of 16, 24 or 32 bytes and a nonce of 12.
Sealed seal_gcm(std::string_view key, std::string_view nonce, std::string_view plain, std::string_view aad);
// nullopt unless the tag fits.
std::optional<std::string> open_gcm(std::string_view key, std::string_view nonce, const Sealed& sealed,
                                    std::string_view aad);

// AES-CBC with the padding of PKCS #7; nullopt if that is wrong. Says nothing about who wrote it.
std::optional<std::string> decrypt_cbc(std::string_view key, std::string_view iv,
                                       std::string_view ciphertext);

// AES key wrap (RFC 3394) with a key of 16, 24 or 32 bytes.
std::string wrap_key(std::string_view key, std::string_view secret);
// nullopt unless it was wrapped by this key.
std::optional<std::string> unwrap_key(std::string_view key, std::string_view wrapped);

// What OpenSSL has to say about its last failure, as an Error of Kind::system; empties its queue.
[[noreturn]] void throw_openssl(std::string_view what);

}  // namespace lade::crypt

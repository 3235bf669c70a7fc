// RSA encryption of short secrets.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "crypt/keys.hpp"

namespace lade::crypt {

enum class RsaPadding { oaep_sha1, oaep_sha256, pkcs1 };

std::string encrypt_rsa(const Key& key, RsaPadding padding, std::string_view secret);
// nullopt for what was not encrypted for this key. With pkcs1 that cannot always be told: newer OpenSSL gives
// random bytes then.
std::optional<std::string> decrypt_rsa(const Key& key, RsaPadding padding, std::string_view encrypted);

}  // namespace lade::crypt

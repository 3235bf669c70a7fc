// JSON Web Encryption (RFC 7516), JSON serialization: a short text for several recipients. Content is
// encrypted by AES-GCM; its key by RSA-OAEP, RSA-OAEP-256 or ECDH-ES+A128KW, +A192KW, +A256KW.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "crypt/keys.hpp"

namespace lade::crypt {

// Whether encrypt_jwe can: the algorithm is known and for keys of this kind.
bool is_jwe_algorithm(std::string_view algorithm, const Key& key);

// For at least one recipient, with A256GCM; flattened for one.
std::string encrypt_jwe(std::string_view plain, const std::vector<JweRecipient>& recipients);

// nullopt if none of the keys opens it. Kind::invalid_input for what is no JWE; Kind::unsupported for content
// encrypted in another way.
std::optional<std::string> decrypt_jwe(std::string_view jwe, const std::vector<Key>& keys);

}  // namespace lade::crypt

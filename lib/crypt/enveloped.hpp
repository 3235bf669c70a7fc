// EnvelopedData of PKCS #7 and CMS (RFC 5652 section 6): a short text for the owners of certificates with RSA
// keys. Content is encrypted by AES-CBC, or by AES-GCM in the form of Go's pkcs7 packages.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "crypt/keys.hpp"

namespace lade::crypt {

// DER, AES-256-CBC, for at least one certificate.
std::string encrypt_enveloped(std::string_view plain, const std::vector<Certificate>& recipients);

// Each text that one of the keys may have been meant for: AES-CBC does not tell a wrong key for sure. Kind::
// invalid_input for what is no EnvelopedData; Kind::unsupported for content encrypted in another way.
std::vector<std::string> decrypt_enveloped(std::string_view der, const DecryptionKeys& keys);

}  // namespace lade::crypt

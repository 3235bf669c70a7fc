// Files of cosign's private keys: PEM "ENCRYPTED COSIGN PRIVATE KEY" or "ENCRYPTED SIGSTORE PRIVATE KEY", in
// it JSON with PKCS #8 in a secretbox whose key scrypt makes of a passphrase (go-securesystemslib,
// "encrypted").
#pragma once

#include <string>
#include <string_view>

#include "trust/keys.hpp"

namespace lade::trust {

// Kind::invalid_input for what is malformed; Kind::denied "decrypt: ..." for another passphrase.
PrivateKey decrypt_cosign_key(std::string_view pem, std::string_view passphrase);
// As older programs read it, too.
std::string encrypt_cosign_key(const PrivateKey& key, std::string_view passphrase);

}  // namespace lade::trust

// For whom layers are encrypted, and with what they are decrypted: files named on a command line, as ocicrypt
// reads them.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

struct evp_pkey_st;
struct x509_st;

namespace lade::crypt {

using Key = std::shared_ptr<evp_pkey_st>;
using Certificate = std::shared_ptr<x509_st>;

struct JweRecipient {
  Key key;                // public; RSA, or EC on P-256, P-384 or P-521
  std::string algorithm;  // "RSA-OAEP", "ECDH-ES+A256KW", ... (RFC 7518 section 4.1)
  std::string key_id;     // "kid"; "" for none
};

struct Recipients {
  std::vector<JweRecipient> jwe;
  std::vector<Certificate> pkcs7;  // with RSA keys
};

// Each "jwe:PATH" (a public key: PEM, DER or JWK) or "pkcs7:PATH" (a certificate: PEM or DER).
// Kind::unsupported for "pgp:", "pkcs11:" and "provider:"; Kind::invalid_input for what is no such key.
Recipients read_recipients(const std::vector<std::string>& texts);
JweRecipient parse_jwe_recipient(std::string_view bytes);
Certificate parse_pkcs7_recipient(std::string_view bytes);

struct DecryptionKeys {
  std::vector<Key> keys;                  // private
  std::vector<Certificate> certificates;  // which recipients of PKCS #7 to try; none: all of them
};

// Each "PATH[:PASSWORD]", a private key (PEM, DER or JWK) or a certificate (PEM or DER). PASSWORD: the
// password itself, "pass=PASSWORD", "file=PATH" or "fd=NUMBER". Kind::denied for a wrong or missing password;
// Kind::unsupported for OpenPGP's and PKCS #11's keys and "provider:".
DecryptionKeys read_decryption_keys(const std::vector<std::string>& texts);
// nullptr if it is no private key; `password` "" for none.
Key parse_private_key(std::string_view bytes, std::string_view password);

}  // namespace lade::crypt

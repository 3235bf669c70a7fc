// Keys of sigstore signatures: ECDSA and RSA (PKCS #1 v1.5) with SHA-256, Ed25519.
#pragma once

#include <memory>
#include <string>
#include <string_view>

struct evp_pkey_st;

namespace lade::trust {

class PublicKey {
 public:
  // Kind::invalid_input for anything but one key of these kinds, and for RSA below 2048 bits.
  static PublicKey from_pem(std::string_view pem);
  explicit PublicKey(std::shared_ptr<evp_pkey_st> key);

  bool verify(std::string_view message, std::string_view signature) const;
  bool is_ecdsa() const;
  std::string der() const;  // SubjectPublicKeyInfo
  std::string pem() const;

 private:
  std::shared_ptr<evp_pkey_st> key_;
};

class PrivateKey {
 public:
  static PrivateKey generate();  // ECDSA, P-256
  // PKCS #8, not encrypted. Kind::invalid_input.
  static PrivateKey from_der(std::string_view der);

  std::string sign(std::string_view message) const;
  PublicKey public_key() const;
  std::string der() const;  // PKCS #8

 private:
  explicit PrivateKey(std::shared_ptr<evp_pkey_st> key) : key_(std::move(key)) {}
  std::shared_ptr<evp_pkey_st> key_;
};

}  // namespace lade::trust

#include "crypt/rsa.hpp"

#include <openssl/rsa.h>

#include "crypt/openssl_handles.hpp"
#include "crypt/primitives.hpp"

namespace lade::crypt {

namespace {

bool set_padding(EVP_PKEY_CTX* context, RsaPadding padding) {
  if (padding == RsaPadding::pkcs1) return EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PADDING) == 1;
  const EVP_MD* digest = padding == RsaPadding::oaep_sha1 ? EVP_sha1() : EVP_sha256();
  return EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_OAEP_PADDING) == 1 &&
         EVP_PKEY_CTX_set_rsa_oaep_md(context, digest) == 1 &&
         EVP_PKEY_CTX_set_rsa_mgf1_md(context, digest) == 1;
}

}  // namespace

std::string encrypt_rsa(const Key& key, RsaPadding padding, std::string_view secret) {
  const KeyContextHandle context(EVP_PKEY_CTX_new_from_pkey(nullptr, key.get(), nullptr));
  std::size_t size = 0;
  if (!context || EVP_PKEY_encrypt_init(context.get()) != 1 || !set_padding(context.get(), padding) ||
      EVP_PKEY_encrypt(context.get(), nullptr, &size, bytes_of(secret), secret.size()) != 1)
    throw_openssl("RSA");
  std::string encrypted(size, '\0');
  if (EVP_PKEY_encrypt(context.get(), bytes_of(encrypted), &size, bytes_of(secret), secret.size()) != 1)
    throw_openssl("RSA");
  encrypted.resize(size);
  return encrypted;
}

std::optional<std::string> decrypt_rsa(const Key& key, RsaPadding padding, std::string_view encrypted) {
  const KeyContextHandle context(EVP_PKEY_CTX_new_from_pkey(nullptr, key.get(), nullptr));
  std::size_t size = 0;
  if (!context || EVP_PKEY_decrypt_init(context.get()) != 1 || !set_padding(context.get(), padding))
    throw_openssl("RSA");
  std::string secret;
  if (EVP_PKEY_decrypt(context.get(), nullptr, &size, bytes_of(encrypted), encrypted.size()) == 1) {
    secret.resize(size);
    if (EVP_PKEY_decrypt(context.get(), bytes_of(secret), &size, bytes_of(encrypted), encrypted.size()) ==
        1) {
      secret.resize(size);
      return secret;
    }
  }
  wipe(secret);
  ERR_clear_error();
  return std::nullopt;
}

}  // namespace lade::crypt

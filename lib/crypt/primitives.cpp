#include "crypt/primitives.hpp"

#include <openssl/rand.h>

#include "base/error.hpp"
#include "crypt/openssl_handles.hpp"

namespace lade::crypt {

namespace {

constexpr int gcm_nonce_size = 12;
constexpr int gcm_tag_size = 16;

enum class Mode { gcm, cbc, wrap };

const EVP_CIPHER* aes(Mode mode, std::size_t key_size) {
  switch (key_size) {
    case 16:
      return mode == Mode::gcm   ? EVP_aes_128_gcm()
             : mode == Mode::cbc ? EVP_aes_128_cbc()
                                 : EVP_aes_128_wrap();
    case 24:
      return mode == Mode::gcm   ? EVP_aes_192_gcm()
             : mode == Mode::cbc ? EVP_aes_192_cbc()
                                 : EVP_aes_192_wrap();
    case 32:
      return mode == Mode::gcm   ? EVP_aes_256_gcm()
             : mode == Mode::cbc ? EVP_aes_256_cbc()
                                 : EVP_aes_256_wrap();
  }
  return nullptr;
}

CipherHandle cipher_context() {
  CipherHandle context(EVP_CIPHER_CTX_new());
  if (!context) throw_openssl("preparing a cipher");
  return context;
}

// The result of the cipher over `input`; nullopt if OpenSSL refuses it.
std::optional<std::string> run_cipher(EVP_CIPHER_CTX* context, std::string_view input) {
  std::string output(input.size() + 2 * EVP_MAX_BLOCK_LENGTH, '\0');
  int size = 0, rest = 0;
  if (EVP_CipherUpdate(context, bytes_of(output), &size, bytes_of(input), static_cast<int>(input.size())) !=
          1 ||
      EVP_CipherFinal_ex(context, bytes_of(output) + size, &rest) != 1) {
    wipe(output);
    ERR_clear_error();
    return std::nullopt;
  }
  output.resize(static_cast<std::size_t>(size + rest));
  return output;
}

void add_aad(EVP_CIPHER_CTX* context, std::string_view aad) {
  int size = 0;
  if (!aad.empty() &&
      EVP_CipherUpdate(context, nullptr, &size, bytes_of(aad), static_cast<int>(aad.size())) != 1)
    throw_openssl("AES-GCM");
}

}  // namespace

void throw_openssl(std::string_view what) {
  const unsigned long code = ERR_get_error();
  const char* reason = ERR_reason_error_string(code);
  ERR_clear_error();
  throw Error(Kind::system, std::string(what) + ": " + (reason != nullptr ? reason : "OpenSSL failed"));
}

std::string random_bytes(std::size_t size) {
  std::string bytes(size, '\0');
  if (RAND_bytes(bytes_of(bytes), static_cast<int>(size)) != 1) throw_openssl("reading random bytes");
  return bytes;
}

void wipe(std::string& secret) noexcept {
  OPENSSL_cleanse(secret.data(), secret.size());
  secret.clear();
}

bool equal_in_constant_time(std::string_view a, std::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

Sealed seal_gcm(std::string_view key, std::string_view nonce, std::string_view plain, std::string_view aad) {
  const auto context = cipher_context();
  const EVP_CIPHER* cipher = aes(Mode::gcm, key.size());
  if (cipher == nullptr || nonce.size() != gcm_nonce_size ||
      EVP_EncryptInit_ex(context.get(), cipher, nullptr, bytes_of(key), bytes_of(nonce)) != 1)
    throw_openssl("AES-GCM");
  add_aad(context.get(), aad);
  auto ciphertext = run_cipher(context.get(), plain);
  std::string tag(gcm_tag_size, '\0');
  if (!ciphertext || EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_GET_TAG, gcm_tag_size, tag.data()) != 1)
    throw_openssl("AES-GCM");
  return {std::move(*ciphertext), std::move(tag)};
}

std::optional<std::string> open_gcm(std::string_view key, std::string_view nonce, const Sealed& sealed,
                                    std::string_view aad) {
  const auto context = cipher_context();
  const EVP_CIPHER* cipher = aes(Mode::gcm, key.size());
  if (cipher == nullptr || nonce.size() != gcm_nonce_size || sealed.tag.size() != gcm_tag_size)
    return std::nullopt;
  std::string tag = sealed.tag;
  if (EVP_DecryptInit_ex(context.get(), cipher, nullptr, bytes_of(key), bytes_of(nonce)) != 1 ||
      EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_SET_TAG, gcm_tag_size, tag.data()) != 1)
    throw_openssl("AES-GCM");
  add_aad(context.get(), aad);
  return run_cipher(context.get(), sealed.ciphertext);
}

std::optional<std::string> decrypt_cbc(std::string_view key, std::string_view iv,
                                       std::string_view ciphertext) {
  const auto context = cipher_context();
  const EVP_CIPHER* cipher = aes(Mode::cbc, key.size());
  if (cipher == nullptr || iv.size() != 16 || ciphertext.empty() || ciphertext.size() % 16 != 0)
    return std::nullopt;
  if (EVP_DecryptInit_ex(context.get(), cipher, nullptr, bytes_of(key), bytes_of(iv)) != 1)
    throw_openssl("AES-CBC");
  return run_cipher(context.get(), ciphertext);
}

std::string wrap_key(std::string_view key, std::string_view secret) {
  const auto context = cipher_context();
  EVP_CIPHER_CTX_set_flags(context.get(), EVP_CIPHER_CTX_FLAG_WRAP_ALLOW);
  const EVP_CIPHER* cipher = aes(Mode::wrap, key.size());
  if (cipher == nullptr || EVP_EncryptInit_ex(context.get(), cipher, nullptr, bytes_of(key), nullptr) != 1)
    throw_openssl("AES key wrap");
  auto wrapped = run_cipher(context.get(), secret);
  if (!wrapped) throw_openssl("AES key wrap");
  return std::move(*wrapped);
}

std::optional<std::string> unwrap_key(std::string_view key, std::string_view wrapped) {
  const auto context = cipher_context();
  EVP_CIPHER_CTX_set_flags(context.get(), EVP_CIPHER_CTX_FLAG_WRAP_ALLOW);
  const EVP_CIPHER* cipher = aes(Mode::wrap, key.size());
  if (cipher == nullptr || wrapped.size() < 24 || wrapped.size() > 256 || wrapped.size() % 8 != 0)
    return std::nullopt;
  if (EVP_DecryptInit_ex(context.get(), cipher, nullptr, bytes_of(key), nullptr) != 1)
    throw_openssl("AES key wrap");
  return run_cipher(context.get(), wrapped);
}

}  // namespace lade::crypt

#include "trust/keys.hpp"

#include <openssl/ec.h>

#include "base/error.hpp"
#include "trust/openssl_handles.hpp"

namespace lade::trust {

namespace {

constexpr int min_rsa_bits = 2048;

[[noreturn]] void refuse_key(std::string_view why) {
  ERR_clear_error();
  throw Error(Kind::invalid_input, std::string(why));
}

std::shared_ptr<EVP_PKEY> share_key(EVP_PKEY* key) {
  return {key, EVP_PKEY_free};
}

void check_key_kind(const EVP_PKEY* key) {
  const int id = EVP_PKEY_get_base_id(key);
  if (id == EVP_PKEY_RSA && EVP_PKEY_get_bits(key) < min_rsa_bits)
    refuse_key("the RSA key has less than 2048 bits");
  if (id != EVP_PKEY_RSA && id != EVP_PKEY_EC && id != EVP_PKEY_ED25519) refuse_key("unsupported key type");
}

// Ed25519 has a digest of its own.
const EVP_MD* digest_for(const EVP_PKEY* key) {
  return EVP_PKEY_get_base_id(key) == EVP_PKEY_ED25519 ? nullptr : EVP_sha256();
}

std::string written(int (*write)(BIO*, const EVP_PKEY*), const EVP_PKEY* key) {
  const BioHandle bio(BIO_new(BIO_s_mem()));
  if (!bio || write(bio.get(), key) != 1) refuse_key("cannot write the key");
  return text_in(bio.get());
}

}  // namespace

PublicKey::PublicKey(std::shared_ptr<evp_pkey_st> key) : key_(std::move(key)) {
  check_key_kind(key_.get());
}

PublicKey PublicKey::from_pem(std::string_view pem) {
  const auto bio = bio_of(pem);
  auto* key = bio ? PEM_read_bio_PUBKEY(bio.get(), nullptr, nullptr, nullptr) : nullptr;
  if (key == nullptr) refuse_key("no public key in PEM format");
  return PublicKey(share_key(key));
}

bool PublicKey::verify(std::string_view message, std::string_view signature) const {
  const DigestHandle digest(EVP_MD_CTX_new());
  const bool good =
      digest &&
      EVP_DigestVerifyInit(digest.get(), nullptr, digest_for(key_.get()), nullptr, key_.get()) == 1 &&
      EVP_DigestVerify(digest.get(), bytes_of(signature), signature.size(), bytes_of(message),
                       message.size()) == 1;
  ERR_clear_error();
  return good;
}

bool PublicKey::is_ecdsa() const {
  return EVP_PKEY_get_base_id(key_.get()) == EVP_PKEY_EC;
}

std::string PublicKey::der() const {
  return written(i2d_PUBKEY_bio, key_.get());
}

std::string PublicKey::pem() const {
  return written(PEM_write_bio_PUBKEY, key_.get());
}

PrivateKey PrivateKey::generate() {
  auto* key = EVP_EC_gen("P-256");
  if (key == nullptr) refuse_key("cannot generate a key");
  return PrivateKey(share_key(key));
}

PrivateKey PrivateKey::from_der(std::string_view der) {
  const auto* at = bytes_of(der);
  auto* key = d2i_AutoPrivateKey(nullptr, &at, static_cast<long>(der.size()));
  if (key == nullptr) refuse_key("parsing private key: not PKCS #8");
  auto shared = share_key(key);
  check_key_kind(key);
  return PrivateKey(std::move(shared));
}

std::string PrivateKey::sign(std::string_view message) const {
  const DigestHandle digest(EVP_MD_CTX_new());
  std::size_t size = 0;
  if (!digest ||
      EVP_DigestSignInit(digest.get(), nullptr, digest_for(key_.get()), nullptr, key_.get()) != 1 ||
      EVP_DigestSign(digest.get(), nullptr, &size, bytes_of(message), message.size()) != 1) {
    refuse_key("cannot sign with the key");
  }
  std::string signature(size, '\0');
  if (EVP_DigestSign(digest.get(), reinterpret_cast<unsigned char*>(signature.data()), &size,
                     bytes_of(message), message.size()) != 1) {
    refuse_key("cannot sign with the key");
  }
  signature.resize(size);
  return signature;
}

PublicKey PrivateKey::public_key() const {
  return PublicKey(key_);
}

std::string PrivateKey::der() const {
  return written([](BIO* bio, const EVP_PKEY* key) { return i2d_PKCS8PrivateKeyInfo_bio(bio, key); },
                 key_.get());
}

}  // namespace lade::trust

// Keys and certificates, made once for a run.
#pragma once

#include <string>
#include <vector>

#include "crypt/jwk.hpp"
#include "crypt/keys.hpp"
#include "crypt/openssl_handles.hpp"

namespace lade::test {

inline crypt::Key make_rsa_key() {
  return {EVP_RSA_gen(2048), EVP_PKEY_free};
}

inline const crypt::Key& rsa_key() {
  static const crypt::Key key = make_rsa_key();
  return key;
}

inline const crypt::Key& other_rsa_key() {
  static const crypt::Key key = make_rsa_key();
  return key;
}

inline const crypt::Key& ec_key() {
  static const crypt::Key key = crypt::generate_ec_key("P-384");
  return key;
}

inline std::string public_pem(const crypt::Key& key) {
  const crypt::BioHandle out(BIO_new(BIO_s_mem()));
  PEM_write_bio_PUBKEY(out.get(), key.get());
  return crypt::text_in(out.get());
}

// PKCS #8; encrypted unless the password is "".
inline std::string private_pem(const crypt::Key& key, std::string password = "") {
  const crypt::BioHandle out(BIO_new(BIO_s_mem()));
  PEM_write_bio_PKCS8PrivateKey(out.get(), key.get(), password.empty() ? nullptr : EVP_aes_128_cbc(),
                                password.data(), static_cast<int>(password.size()), nullptr, nullptr);
  return crypt::text_in(out.get());
}

inline crypt::Certificate certificate_of(const crypt::Key& key, long serial = 7) {
  const crypt::Certificate certificate(X509_new(), X509_free);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), serial);
  X509_gmtime_adj(X509_getm_notBefore(certificate.get()), 0);
  X509_gmtime_adj(X509_getm_notAfter(certificate.get()), 3600);
  X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate.get()), "CN", MBSTRING_ASC,
                             crypt::bytes_of(std::string_view("test")), -1, -1, 0);
  X509_set_issuer_name(certificate.get(), X509_get_subject_name(certificate.get()));
  X509_set_pubkey(certificate.get(), key.get());
  X509_sign(certificate.get(), key.get(), EVP_sha256());
  return certificate;
}

inline std::string certificate_pem(const crypt::Certificate& certificate) {
  const crypt::BioHandle out(BIO_new(BIO_s_mem()));
  PEM_write_bio_X509(out.get(), certificate.get());
  return crypt::text_in(out.get());
}

inline crypt::JweRecipient recipient(const crypt::Key& key) {
  return crypt::parse_jwe_recipient(public_pem(key));
}

}  // namespace lade::test

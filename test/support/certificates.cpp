#include "support/certificates.hpp"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

#include <cctype>
#include <memory>
#include <stdexcept>

namespace lade::test {

namespace {

template <auto Free>
struct Freer {
  template <class T>
  void operator()(T* object) const {
    Free(object);
  }
};
using Key = std::unique_ptr<EVP_PKEY, Freer<EVP_PKEY_free>>;
using X509Ptr = std::unique_ptr<X509, Freer<X509_free>>;
using Bio = std::unique_ptr<BIO, Freer<BIO_free_all>>;

void require(bool ok, const char* what) {
  if (!ok) throw std::runtime_error(std::string("making a certificate: ") + what);
}

std::string text_of(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  return {data, static_cast<std::size_t>(size)};
}

X509Ptr parse_certificate(const std::string& pem) {
  const Bio bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  return X509Ptr(PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr));
}

Key parse_key(const std::string& pem) {
  const Bio bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  return Key(PEM_read_bio_PrivateKey(bio.get(), nullptr, nullptr, nullptr));
}

void add_extension(X509* certificate, X509* issuer, int nid, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str());
  require(extension != nullptr, "extension");
  X509_add_ext(certificate, extension, -1);
  X509_EXTENSION_free(extension);
}

void add_extension(X509* certificate, const char* oid, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, certificate, certificate, nullptr, nullptr, 0);
  X509_EXTENSION* extension = X509V3_EXT_conf(nullptr, &context, oid, value.c_str());
  require(extension != nullptr, "extension by its number");
  X509_add_ext(certificate, extension, -1);
  X509_EXTENSION_free(extension);
}

bool is_address(const std::string& name) {
  return name.find(':') != std::string::npos || std::isdigit(static_cast<unsigned char>(name.back()));
}

std::string alternative_names(const std::vector<std::string>& names) {
  std::string list;
  for (const std::string& name : names) {
    const bool is_email = name.find('@') != std::string::npos;
    list += (list.empty() ? "" : ",") +
            std::string(is_email           ? "email:"
                        : is_address(name) ? "IP:"
                                           : "DNS:") +
            name;
  }
  return list;
}

void set_serial_and_times(X509* certificate, bool expired) {
  std::uint64_t serial = 0;
  RAND_bytes(reinterpret_cast<unsigned char*>(&serial), sizeof serial);
  ASN1_INTEGER_set_uint64(X509_get_serialNumber(certificate), serial >> 1);
  constexpr long day = 24 * 60 * 60;
  X509_gmtime_adj(X509_getm_notBefore(certificate), expired ? -3 * day : -day);
  X509_gmtime_adj(X509_getm_notAfter(certificate), expired ? -2 * day : day);
}

void set_name(X509* certificate, const std::string& common_name) {
  X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_UTF8,
                             reinterpret_cast<const unsigned char*>(common_name.c_str()), -1, -1, 0);
}

Certificate to_pem(X509* certificate, EVP_PKEY* key) {
  const Bio cert_bio(BIO_new(BIO_s_mem()));
  const Bio key_bio(BIO_new(BIO_s_mem()));
  PEM_write_bio_X509(cert_bio.get(), certificate);
  PEM_write_bio_PrivateKey(key_bio.get(), key, nullptr, nullptr, 0, nullptr, nullptr);
  return {text_of(cert_bio.get()), text_of(key_bio.get())};
}

}  // namespace

Certificate make_certificate(const CertificateOptions& options, const Certificate* issuer) {
  const Key key(EVP_EC_gen("P-256"));
  const X509Ptr certificate(X509_new());
  require(key && certificate, "key");
  X509_set_version(certificate.get(), X509_VERSION_3);
  X509_set_pubkey(certificate.get(), key.get());
  set_serial_and_times(certificate.get(), options.expired);
  set_name(certificate.get(), options.common_name);

  const X509Ptr issuer_certificate = issuer ? parse_certificate(issuer->cert_pem) : nullptr;
  const Key issuer_key = issuer ? parse_key(issuer->key_pem) : nullptr;
  X509* signer = issuer ? issuer_certificate.get() : certificate.get();
  X509_set_issuer_name(certificate.get(), X509_get_subject_name(signer));
  add_extension(certificate.get(), signer, NID_basic_constraints,
                options.authority ? "critical,CA:TRUE" : "CA:FALSE");
  if (!options.names.empty()) {
    add_extension(certificate.get(), signer, NID_subject_alt_name, alternative_names(options.names));
  }
  if (!options.usage.empty()) add_extension(certificate.get(), signer, NID_ext_key_usage, options.usage);
  if (!options.oidc_issuer.empty())
    add_extension(certificate.get(), "1.3.6.1.4.1.57264.1.8", "ASN1:UTF8String:" + options.oidc_issuer);
  require(X509_sign(certificate.get(), issuer ? issuer_key.get() : key.get(), EVP_sha256()) > 0, "signature");
  return to_pem(certificate.get(), key.get());
}

}  // namespace lade::test

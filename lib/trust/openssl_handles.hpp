// Owners of OpenSSL's objects. Internal to trust/.
#pragma once

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <memory>
#include <string>
#include <string_view>

namespace lade::trust {

template <auto free>
struct FreeBy {
  template <class T>
  void operator()(T* object) const noexcept {
    free(object);
  }
};

using BioHandle = std::unique_ptr<BIO, FreeBy<BIO_free_all>>;
using DigestHandle = std::unique_ptr<EVP_MD_CTX, FreeBy<EVP_MD_CTX_free>>;
using CertificateHandle = std::unique_ptr<X509, FreeBy<X509_free>>;

inline const unsigned char* bytes_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

inline BioHandle bio_of(std::string_view text) {
  return BioHandle(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

inline std::string text_in(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  return std::string(data, static_cast<std::size_t>(size));
}

}  // namespace lade::trust

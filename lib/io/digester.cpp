#include "io/digester.hpp"

#include <openssl/evp.h>

#include <array>

#include "base/error.hpp"

namespace lade::io {

namespace {

using Algorithm = spec::Digest::Algorithm;

// Fetching walks the providers' tables under a lock, so it happens once in the life of the program.
const EVP_MD* message_digest(Algorithm algorithm) {
  static const EVP_MD* const sha256 = EVP_MD_fetch(nullptr, "SHA2-256", nullptr);
  static const EVP_MD* const sha512 = EVP_MD_fetch(nullptr, "SHA2-512", nullptr);
  const EVP_MD* found = algorithm == Algorithm::sha256 ? sha256 : sha512;
  if (found == nullptr) throw Error(Kind::unsupported, "OpenSSL offers no SHA-2 digests");
  return found;
}

void check(int result) {
  if (result != 1) throw Error(Kind::system, "OpenSSL failed to compute a digest");
}

spec::Digest to_digest(Algorithm algorithm, std::span<const unsigned char> bytes) {
  static constexpr char digits[] = "0123456789abcdef";
  std::string hex;
  hex.reserve(bytes.size() * 2);
  for (const unsigned char byte : bytes) {
    hex += digits[byte >> 4];
    hex += digits[byte & 15];
  }
  return spec::Digest::from_hex(algorithm, hex);
}

}  // namespace

struct Digester::Impl {
  struct Free {
    void operator()(EVP_MD_CTX* freed) const { EVP_MD_CTX_free(freed); }
  };

  explicit Impl(Algorithm wanted) : algorithm(wanted), context(EVP_MD_CTX_new()) {
    check(EVP_DigestInit_ex2(context.get(), message_digest(algorithm), nullptr));
  }

  Algorithm algorithm;
  std::unique_ptr<EVP_MD_CTX, Free> context;
};

Digester::Digester(Algorithm algorithm) : impl_(std::make_unique<Impl>(algorithm)) {}
Digester::Digester(Digester&&) noexcept = default;
Digester& Digester::operator=(Digester&&) noexcept = default;
Digester::~Digester() = default;

void Digester::update(Bytes data) {
  check(EVP_DigestUpdate(impl_->context.get(), data.data(), data.size()));
}

spec::Digest Digester::finish() {
  std::array<unsigned char, EVP_MAX_MD_SIZE> bytes;
  unsigned size = 0;
  check(EVP_DigestFinal_ex(impl_->context.get(), bytes.data(), &size));
  return to_digest(impl_->algorithm, std::span(bytes).first(size));
}

spec::Digest digest_of(std::string_view text, Algorithm algorithm) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> bytes;
  unsigned size = 0;
  check(EVP_Digest(text.data(), text.size(), bytes.data(), &size, message_digest(algorithm), nullptr));
  return to_digest(algorithm, std::span(bytes).first(size));
}

}  // namespace lade::io

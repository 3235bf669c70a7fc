// Digests of streams and documents (OpenSSL EVP; SHA-NI where the processor has it).
#pragma once

#include <memory>
#include <string_view>

#include "io/stream.hpp"
#include "spec/digest.hpp"

namespace lade::io {

class Digester {
 public:
  explicit Digester(spec::Digest::Algorithm algorithm = spec::Digest::Algorithm::sha256);
  Digester(Digester&&) noexcept;
  Digester& operator=(Digester&&) noexcept;
  ~Digester();

  void update(Bytes data);
  // The digest of all that was fed. Call once.
  spec::Digest finish();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

spec::Digest digest_of(std::string_view text,
                       spec::Digest::Algorithm algorithm = spec::Digest::Algorithm::sha256);

}  // namespace lade::io

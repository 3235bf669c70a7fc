// The bytes of a layer, encrypted and decrypted as they pass: AES-256-CTR, with HMAC-SHA256 over the
// encrypted bytes (ocicrypt's AES_256_CTR_HMAC_SHA256). Constant memory.
#pragma once

#include <memory>
#include <string>

#include "crypt/layer_secret.hpp"
#include "io/stream.hpp"

namespace lade::crypt {

class EncryptingReader final : public io::Reader {
 public:
  // `plain` MUST outlive it.
  EncryptingReader(io::Reader& plain, const LayerKey& key);
  ~EncryptingReader() override;
  std::size_t read(io::Buffer buffer) override;
  // Valid after the end was read.
  const std::string& hmac() const { return hmac_; }

 private:
  struct Impl;
  io::Reader& plain_;
  std::unique_ptr<Impl> impl_;
  std::string hmac_;
};

// Throws Kind::integrity instead of the end when the HMAC does not fit: nothing of what it gave may be used
// before.
class DecryptingReader final : public io::Reader {
 public:
  // `encrypted` MUST outlive it.
  DecryptingReader(io::Reader& encrypted, const LayerKey& key, std::string hmac);
  ~DecryptingReader() override;
  std::size_t read(io::Buffer buffer) override;

 private:
  struct Impl;
  io::Reader& encrypted_;
  std::unique_ptr<Impl> impl_;
  std::string expected_;
};

}  // namespace lade::crypt

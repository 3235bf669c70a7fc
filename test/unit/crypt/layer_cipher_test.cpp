#include "crypt/layer_cipher.hpp"

#include <doctest/doctest.h>

#include "support/errors.hpp"

using namespace lade;

namespace {

const crypt::LayerKey key{crypt::Secret(std::string(32, 'k')), std::string(16, 'n')};

std::string hex(const std::string& bytes) {
  std::string text;
  for (const char byte : bytes)
    for (const int shift : {4, 0}) text += "0123456789abcdef"[static_cast<unsigned char>(byte) >> shift & 15];
  return text;
}

struct Encrypted {
  std::string bytes, hmac;
};

Encrypted encrypt(const std::string& plain, const crypt::LayerKey& with = key) {
  const auto source = io::make_text_reader(plain);
  crypt::EncryptingReader reader(*source, with);
  std::string bytes = io::read_all(reader, 1 << 24, "layer");
  return {std::move(bytes), reader.hmac()};
}

std::string decrypt(const std::string& bytes, const std::string& hmac, const crypt::LayerKey& with = key) {
  const auto source = io::make_text_reader(bytes);
  crypt::DecryptingReader reader(*source, with, hmac);
  return io::read_all(reader, 1 << 24, "layer");
}

}  // namespace

TEST_CASE("layer cipher: what was encrypted is decrypted, of any length") {
  for (const std::size_t size : {0, 1, 15, 16, 17, 1000, 300'000}) {
    CAPTURE(size);
    const std::string plain(size, 'p');
    const auto [bytes, hmac] = encrypt(plain);
    CHECK(bytes.size() == size);
    CHECK((size < 15 || bytes != plain));
    CHECK(decrypt(bytes, hmac) == plain);
  }
}

TEST_CASE("layer cipher: it is AES-256-CTR with HMAC-SHA256 over the encrypted bytes") {
  // By another implementation: openssl enc -aes-256-ctr -K 6b... -iv 6e..., openssl dgst -sha256 -mac HMAC.
  const auto [bytes, hmac] = encrypt("layer");
  CHECK(hex(bytes) == "4de0cce9b7");
  CHECK(hex(hmac) == "876fc7a46feaa3db8f0071ab355205bfb019a269da66ac7b509bb6a4f0bd9d1e");
}

TEST_CASE("layer cipher: a changed, shortened or lengthened stream and a wrong HMAC are refused") {
  const auto [bytes, hmac] = encrypt("a layer");
  std::string changed = bytes;
  changed[3] ^= 1;
  for (const auto& [data, mac] : {std::pair{changed, hmac},
                                  {bytes.substr(1), hmac},
                                  {bytes + "x", hmac},
                                  {bytes, std::string(32, 'x')},
                                  {bytes, std::string()}})
    CHECK(test::kind_of([&, &data = data, &mac = mac] { decrypt(data, mac); }) == Kind::integrity);
}

TEST_CASE("layer cipher: another key is refused") {
  const auto [bytes, hmac] = encrypt("a layer");
  CHECK(test::kind_of([&, &bytes = bytes, &hmac = hmac] {
          decrypt(bytes, hmac, crypt::LayerKey::generate());
        }) == Kind::integrity);
}

#include "crypt/layer_cipher.hpp"

#include <algorithm>

#include "base/error.hpp"
#include "crypt/openssl_handles.hpp"
#include "crypt/primitives.hpp"

namespace lade::crypt {

namespace {

class LayerStream {
 public:
  explicit LayerStream(const LayerKey& key) : cipher_(EVP_CIPHER_CTX_new()), mac_(make_mac(key.key.bytes())) {
    if (key.nonce.size() != layer_nonce_size || key.key.bytes().size() != layer_key_size)
      throw Error(Kind::invalid_input, "key or nonce of the layer has a wrong length");
    if (!cipher_ || EVP_EncryptInit_ex(cipher_.get(), EVP_aes_256_ctr(), nullptr, bytes_of(key.key.bytes()),
                                       bytes_of(key.nonce)) != 1)
      throw_openssl("AES-256-CTR");
  }

  // In counter mode one operation does both.
  void apply(io::Buffer data) {
    auto* bytes = reinterpret_cast<unsigned char*>(data.data());
    for (std::size_t done = 0; done < data.size();) {
      const int part = static_cast<int>(std::min<std::size_t>(data.size() - done, 1 << 30));
      int size = 0;
      if (EVP_EncryptUpdate(cipher_.get(), bytes + done, &size, bytes + done, part) != 1)
        throw_openssl("AES-256-CTR");
      done += static_cast<std::size_t>(part);
    }
  }

  void authenticate(io::Bytes data) {
    if (EVP_MAC_update(mac_.get(), reinterpret_cast<const unsigned char*>(data.data()), data.size()) != 1)
      throw_openssl("HMAC");
  }

  std::string finish() {
    std::string mac(layer_hmac_size, '\0');
    std::size_t size = 0;
    if (EVP_MAC_final(mac_.get(), bytes_of(mac), &size, mac.size()) != 1 || size != mac.size())
      throw_openssl("HMAC");
    return mac;
  }

 private:
  static MacHandle make_mac(const std::string& key) {
    const std::unique_ptr<EVP_MAC, FreeBy<EVP_MAC_free>> hmac(EVP_MAC_fetch(nullptr, "HMAC", nullptr));
    MacHandle mac(hmac ? EVP_MAC_CTX_new(hmac.get()) : nullptr);
    char digest[] = "SHA256";
    const OSSL_PARAM parameters[] = {OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
                                     OSSL_PARAM_construct_end()};
    if (!mac || EVP_MAC_init(mac.get(), bytes_of(key), key.size(), parameters) != 1) throw_openssl("HMAC");
    return mac;
  }

  CipherHandle cipher_;
  MacHandle mac_;
};

}  // namespace

struct EncryptingReader::Impl {
  LayerStream stream;
};

EncryptingReader::EncryptingReader(io::Reader& plain, const LayerKey& key)
    : plain_(plain), impl_(new Impl{LayerStream(key)}) {}
EncryptingReader::~EncryptingReader() = default;

std::size_t EncryptingReader::read(io::Buffer buffer) {
  const std::size_t size = plain_.read(buffer);
  if (size == 0) {
    hmac_ = impl_->stream.finish();
    return 0;
  }
  impl_->stream.apply(buffer.first(size));
  impl_->stream.authenticate(buffer.first(size));
  return size;
}

struct DecryptingReader::Impl {
  LayerStream stream;
};

DecryptingReader::DecryptingReader(io::Reader& encrypted, const LayerKey& key, std::string hmac)
    : encrypted_(encrypted), impl_(new Impl{LayerStream(key)}), expected_(std::move(hmac)) {}
DecryptingReader::~DecryptingReader() = default;

std::size_t DecryptingReader::read(io::Buffer buffer) {
  const std::size_t size = encrypted_.read(buffer);
  if (size == 0) {
    if (!equal_in_constant_time(impl_->stream.finish(), expected_))
      throw Error(Kind::integrity,
                  "the HMAC does not fit the encrypted bytes: data or annotations were changed");
    return 0;
  }
  impl_->stream.authenticate(buffer.first(size));
  impl_->stream.apply(buffer.first(size));
  return size;
}

}  // namespace lade::crypt

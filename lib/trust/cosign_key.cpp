#include "trust/cosign_key.hpp"

#include <openssl/crypto.h>
#include <openssl/rand.h>

#include "base/error.hpp"
#include "config/base64.hpp"
#include "spec/json.hpp"
#include "trust/openssl_handles.hpp"
#include "trust/secretbox.hpp"

namespace lade::trust {

namespace {

constexpr std::string_view what_key = "private key";
constexpr std::size_t salt_size = 32;

struct Scrypt {
  std::uint64_t n = 32768, r = 8, p = 1;
};

[[noreturn]] void refuse_cosign_key(const std::string& why) {
  ERR_clear_error();
  throw Error(Kind::invalid_input, why);
}

// A secret that is not left in memory.
struct Secret {
  std::string bytes;
  ~Secret() { OPENSSL_cleanse(bytes.data(), bytes.size()); }
};

Secret derive_key(std::string_view passphrase, std::string_view salt, const Scrypt& scrypt) {
  constexpr std::uint64_t max_memory = 256 << 20;
  Secret key{std::string(secretbox_key_size, '\0')};
  const bool sane = scrypt.n <= 1 << 20 && scrypt.r >= 1 && scrypt.r <= 64 && scrypt.p >= 1 && scrypt.p <= 16;
  if (!sane || EVP_PBE_scrypt(passphrase.data(), passphrase.size(), bytes_of(salt), salt.size(), scrypt.n,
                              scrypt.r, scrypt.p, max_memory,
                              reinterpret_cast<unsigned char*>(key.bytes.data()), key.bytes.size()) != 1) {
    refuse_cosign_key("decrypt: unexpected kdf parameters");
  }
  return key;
}

std::string decoded_member(const spec::Json& object, std::string_view name) {
  const auto bytes = config::base64_decode(spec::string_member(object, name, what_key));
  if (!bytes) refuse_cosign_key("decrypt: " + std::string(name) + " is not base64");
  return *bytes;
}

const spec::Json& object_member(const spec::Json& object, std::string_view name) {
  const auto* member = spec::find_member(object, name);
  if (member == nullptr || !member->is_object()) refuse_cosign_key("decrypt: no " + std::string(name));
  return *member;
}

Scrypt parse_scrypt(const spec::Json& kdf) {
  if (spec::string_member(kdf, "name", what_key) != "scrypt")
    refuse_cosign_key("decrypt: unknown key derivation function");
  const auto& params = object_member(kdf, "params");
  return {spec::size_member(params, "N", what_key).value_or(0),
          spec::size_member(params, "r", what_key).value_or(0),
          spec::size_member(params, "p", what_key).value_or(0)};
}

// The contents of the first block.
std::string read_pem_block(std::string_view pem) {
  const auto bio = bio_of(pem);
  char *name = nullptr, *header = nullptr;
  unsigned char* data = nullptr;
  long size = 0;
  if (!bio || PEM_read_bio(bio.get(), &name, &header, &data, &size) != 1)
    refuse_cosign_key("invalid pem block");
  const std::string type(name), bytes(reinterpret_cast<char*>(data), static_cast<std::size_t>(size));
  OPENSSL_free(name);
  OPENSSL_free(header);
  OPENSSL_clear_free(data, static_cast<std::size_t>(size));
  if (type != "ENCRYPTED COSIGN PRIVATE KEY" && type != "ENCRYPTED SIGSTORE PRIVATE KEY")
    refuse_cosign_key("unsupported pem type: " + type);
  return bytes;
}

std::string write_pem_block(std::string_view bytes) {
  const BioHandle bio(BIO_new(BIO_s_mem()));
  if (!bio || PEM_write_bio(bio.get(), "ENCRYPTED COSIGN PRIVATE KEY", "", bytes_of(bytes),
                            static_cast<long>(bytes.size())) == 0) {
    refuse_cosign_key("cannot write the key");
  }
  return text_in(bio.get());
}

std::string random_bytes(std::size_t size) {
  std::string result(size, '\0');
  if (RAND_bytes(reinterpret_cast<unsigned char*>(result.data()), static_cast<int>(size)) != 1)
    throw Error(Kind::system, "no random numbers can be had");
  return result;
}

}  // namespace

PrivateKey decrypt_cosign_key(std::string_view pem, std::string_view passphrase) {
  const auto document = spec::parse_json(read_pem_block(pem), what_key);
  if (!document.is_object()) refuse_cosign_key("decrypt: not an object");
  const auto& kdf = object_member(document, "kdf");
  const auto& cipher = object_member(document, "cipher");
  if (spec::string_member(cipher, "name", what_key) != "nacl/secretbox")
    refuse_cosign_key("decrypt: unknown cipher");
  const std::string nonce = decoded_member(cipher, "nonce");
  if (nonce.size() != secretbox_nonce_size) refuse_cosign_key("decrypt: nonce of wrong length");
  const Secret key = derive_key(passphrase, decoded_member(kdf, "salt"), parse_scrypt(kdf));
  auto opened = open_secretbox(decoded_member(document, "ciphertext"), nonce, key.bytes);
  if (!opened) throw Error(Kind::denied, "decrypt: decryption failed: wrong passphrase?");
  const Secret plain{*std::move(opened)};
  return PrivateKey::from_der(plain.bytes);
}

std::string encrypt_cosign_key(const PrivateKey& key, std::string_view passphrase) {
  const Scrypt scrypt;
  const std::string salt = random_bytes(salt_size), nonce = random_bytes(secretbox_nonce_size);
  const Secret derived = derive_key(passphrase, salt, scrypt);
  const Secret plain{key.der()};
  const spec::Json document = {
      {"kdf",
       {{"name", "scrypt"},
        {"params", {{"N", scrypt.n}, {"r", scrypt.r}, {"p", scrypt.p}}},
        {"salt", config::base64_encode(salt)}}},
      {"cipher", {{"name", "nacl/secretbox"}, {"nonce", config::base64_encode(nonce)}}},
      {"ciphertext", config::base64_encode(seal_secretbox(plain.bytes, nonce, derived.bytes))}};
  return write_pem_block(spec::dump_json(document));
}

}  // namespace lade::trust

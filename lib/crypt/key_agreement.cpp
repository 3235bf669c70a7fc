#include "crypt/key_agreement.hpp"

#include "base/error.hpp"
#include "crypt/openssl_handles.hpp"
#include "crypt/primitives.hpp"

namespace lade::crypt {

namespace {

std::string big_endian(std::size_t value) {
  std::string bytes;
  for (int shift = 24; shift >= 0; shift -= 8) bytes += static_cast<char>(value >> shift & 0xFF);
  return bytes;
}

void append_sized(std::string& text, std::string_view value) {
  text += big_endian(value.size());
  text += value;
}

Secret shared_secret(const Key& own, const Key& peer) {
  const KeyContextHandle context(EVP_PKEY_CTX_new_from_pkey(nullptr, own.get(), nullptr));
  std::size_t size = 0;
  if (!context || EVP_PKEY_derive_init(context.get()) != 1 ||
      EVP_PKEY_derive_set_peer(context.get(), peer.get()) != 1 ||
      EVP_PKEY_derive(context.get(), nullptr, &size) != 1) {
    ERR_clear_error();
    throw Error(Kind::invalid_input, "the EC keys of both sides do not go together");
  }
  std::string secret(size, '\0');
  if (EVP_PKEY_derive(context.get(), bytes_of(secret), &size) != 1) throw_openssl("ECDH");
  secret.resize(size);
  return Secret(std::move(secret));
}

}  // namespace

Secret agree(const Key& own, const Key& peer, const AgreementInfo& info, std::size_t size) {
  const Secret shared = shared_secret(own, peer);
  // One round of the Concat KDF with SHA-256 gives the 32 bytes that are needed at most.
  std::string input = big_endian(1) + shared.bytes();
  append_sized(input, info.algorithm);
  append_sized(input, info.party_u);
  append_sized(input, info.party_v);
  input += big_endian(size * 8);
  std::string key(EVP_MAX_MD_SIZE, '\0');
  unsigned length = 0;
  const bool done =
      EVP_Digest(input.data(), input.size(), bytes_of(key), &length, EVP_sha256(), nullptr) == 1;
  wipe(input);
  if (!done || size > length) throw_openssl("Concat KDF");
  key.resize(size);
  return Secret(std::move(key));
}

}  // namespace lade::crypt

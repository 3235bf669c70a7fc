// Layers that are encrypted or decrypted on their way, as ocicrypt does it.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "copy/session.hpp"
#include "io/stream.hpp"
#include "spec/image_config.hpp"

namespace lade::copy {

// What happens to one layer.
struct LayerCrypto {
  enum class Step { none, encrypt, decrypt };
  Step step = Step::none;
  // Of the plain layer, as the image's config says; nullopt where there is none to say it.
  std::optional<spec::DiffId> diff_id{};
};

// For each layer of the manifest. Reads the config when something is to be decrypted. Kind::invalid_input for
// an index out of range, and where the manifest may not change; Kind::unsupported for a layer of a type that
// cannot be encrypted.
std::vector<LayerCrypto> plan_encryption(Session& session, const Context& context,
                                         const spec::Manifest& manifest);

// Whether the image is encrypted, or parts of it, when it arrives: it can only be an OCI image then.
bool arrives_encrypted(const std::vector<spec::Descriptor>& layers, const std::vector<LayerCrypto>& crypto);

// "application/...+encrypted" and back.
std::string encrypted_media_type(std::string_view media_type);
std::string decrypted_media_type(std::string_view media_type);

// Encrypts what it reads under a new key.
class LayerEncryptor {
 public:
  explicit LayerEncryptor(const crypt::Recipients& recipients);
  ~LayerEncryptor();
  // Call once. `plain` MUST outlive this.
  io::Reader& read(io::Reader& plain);
  // Who can decrypt it, and how: after what read() returned was read. Call once.
  spec::Annotations annotations();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// The plain bytes of an encrypted layer. It ends in order only if these are all the bytes that `layer` names,
// their HMAC fits, and what they decrypt to is what its writer encrypted and the image's config names;
// Kind::integrity "decrypting layer D: ..." otherwise. Kind::denied at once if no key fits.
std::unique_ptr<io::Reader> decrypt_layer(std::unique_ptr<io::Reader> encrypted,
                                          const spec::Descriptor& layer, const crypt::DecryptionKeys& keys,
                                          const std::optional<spec::DiffId>& diff_id);

}  // namespace lade::copy

#include "copy/encryption.hpp"

#include <algorithm>

#include "copy/plain_layer_check.hpp"
#include "crypt/layer_cipher.hpp"
#include "crypt/layer_options.hpp"
#include "io/readers.hpp"
#include "spec/media_type.hpp"

namespace lade::copy {

namespace {

using Step = LayerCrypto::Step;

constexpr std::string_view encryption_suffix = "+encrypted";

std::vector<bool> layers_to_encrypt(const CopyOptions& options, std::size_t count) {
  if (!options.encryption) return std::vector<bool>(count, false);
  if (options.encrypted_layers.empty()) return std::vector<bool>(count, true);
  std::vector<bool> chosen(count, false);
  const auto total = static_cast<std::int64_t>(count);
  for (const std::int64_t index : options.encrypted_layers) {
    const std::int64_t from_start = index < 0 && index >= -total ? index + total : index;
    if (from_start < 0 || from_start >= total) {
      throw Error(Kind::invalid_input, "when choosing layers to encrypt, layer index " +
                                           std::to_string(index) + " out of range (" + std::to_string(count) +
                                           " layers exist)");
    }
    chosen[static_cast<std::size_t>(from_start)] = true;
  }
  return chosen;
}

// Foreign layers by name only: their type is that of the ordinary ones but for one word.
bool can_be_encrypted(std::string_view media_type) {
  using namespace spec::media_type;
  const std::string_view plain = media_type.substr(0, media_type.find('+'));
  return plain == oci_layer_tar || plain == oci_nondistributable_tar || plain == docker_layer_tar ||
         plain == docker_layer_gzip || plain == docker_layer_zstd;
}

void refuse_change(const Session& session, const spec::Descriptor& layer, std::string_view change) {
  if (session.may_change()) return;
  throw Error(Kind::invalid_input, "layer " + layer.digest.str() + " should be " + std::string(change) +
                                       ", but we can't modify the manifest: \"" +
                                       session.unchangeable_reason + "\"");
}

Step step_of(const Session& session, const spec::Descriptor& layer, bool encrypt) {
  if (spec::is_encrypted_layer(layer.media_type)) {
    if (!session.options.decryption) return Step::none;
    refuse_change(session, layer, "decrypted");
    return Step::decrypt;
  }
  if (!encrypt) return Step::none;
  refuse_change(session, layer, "encrypted");
  if (!can_be_encrypted(layer.media_type))
    throw Error(Kind::unsupported, "unsupported mediaType to encrypt: \"" + layer.media_type + "\"");
  return Step::encrypt;
}

std::vector<spec::DiffId> diff_ids_of(Session& session, const Context& context,
                                      const spec::Manifest& manifest) {
  if (manifest.is_artifact()) return {};
  return in_context("reading the config from the source", [&] {
    const spec::Descriptor& config = manifest.config();
    transport::Blob blob = session.source.blob(context, config);
    io::VerifyingReader verified(*blob.reader, config.digest, config.size);
    auto ids = spec::ImageConfig::parse(io::read_all(verified, spec::max_manifest_size, "config")).diff_ids;
    if (ids.size() != manifest.layers().size()) {
      throw Error(Kind::integrity, "it names " + std::to_string(ids.size()) + " DiffIDs for " +
                                       std::to_string(manifest.layers().size()) + " layers");
    }
    return ids;
  });
}

class DecryptedLayer final : public io::Reader {
 public:
  DecryptedLayer(std::unique_ptr<io::Reader> encrypted, const spec::Descriptor& layer,
                 const crypt::OpenedLayer& opened, const std::optional<spec::DiffId>& diff_id)
      : digest_(layer.digest),
        encrypted_(std::move(encrypted)),
        verified_(*encrypted_, layer.digest, layer.size == 0 ? std::nullopt : std::optional(layer.size)),
        plain_(verified_, opened.secret.key, opened.hmac),
        check_(opened.secret.digest, diff_id) {}

  std::size_t read(io::Buffer buffer) override {
    return in_context([&] { return "decrypting layer " + digest_.str(); },
                      [&] {
                        const std::size_t size = plain_.read(buffer);
                        if (size == 0)
                          check_.finish();
                        else
                          check_.update(buffer.first(size));
                        return size;
                      });
  }

 private:
  spec::Digest digest_;
  std::unique_ptr<io::Reader> encrypted_;
  io::VerifyingReader verified_;
  crypt::DecryptingReader plain_;
  PlainLayerCheck check_;
};

}  // namespace

std::vector<LayerCrypto> plan_encryption(Session& session, const Context& context,
                                         const spec::Manifest& manifest) {
  const auto& layers = manifest.layers();
  const auto chosen = layers_to_encrypt(session.options, layers.size());
  std::vector<LayerCrypto> plan;
  bool decrypts = false;
  for (std::size_t i = 0; i < layers.size(); ++i) {
    plan.push_back({step_of(session, layers[i], chosen[i])});
    decrypts = decrypts || plan.back().step == Step::decrypt;
  }
  if (!decrypts) return plan;
  const auto diff_ids = diff_ids_of(session, context, manifest);
  for (std::size_t i = 0; i < diff_ids.size(); ++i) plan[i].diff_id = diff_ids[i];
  return plan;
}

bool arrives_encrypted(const std::vector<spec::Descriptor>& layers, const std::vector<LayerCrypto>& crypto) {
  for (std::size_t i = 0; i < layers.size(); ++i) {
    if (crypto[i].step == Step::encrypt) return true;
    if (crypto[i].step == Step::none && spec::is_encrypted_layer(layers[i].media_type)) return true;
  }
  return false;
}

std::string encrypted_media_type(std::string_view media_type) {
  return std::string(media_type) + std::string(encryption_suffix);
}

std::string decrypted_media_type(std::string_view media_type) {
  if (media_type.ends_with(encryption_suffix)) media_type.remove_suffix(encryption_suffix.size());
  return std::string(media_type);
}

struct LayerEncryptor::Impl {
  const crypt::Recipients& recipients;
  crypt::LayerKey key;
  bool ended = false;
  std::optional<io::DigestingReader> plain{};
  std::optional<crypt::EncryptingReader> encrypted{};
  std::optional<io::BorrowedReader> lent{};
};

LayerEncryptor::LayerEncryptor(const crypt::Recipients& recipients)
    : impl_(new Impl{recipients, crypt::LayerKey::generate()}) {}
LayerEncryptor::~LayerEncryptor() = default;

io::Reader& LayerEncryptor::read(io::Reader& plain) {
  impl_->plain.emplace(plain);
  impl_->encrypted.emplace(*impl_->plain, impl_->key);
  return impl_->lent.emplace(*impl_->encrypted, impl_->ended);
}

spec::Annotations LayerEncryptor::annotations() {
  if (!impl_->ended) throw Error(Kind::system, "the encrypted layer was not read to its end");
  return crypt::encryption_annotations({impl_->key, impl_->plain->finish()}, impl_->encrypted->hmac(),
                                       impl_->recipients);
}

std::unique_ptr<io::Reader> decrypt_layer(std::unique_ptr<io::Reader> encrypted,
                                          const spec::Descriptor& layer, const crypt::DecryptionKeys& keys,
                                          const std::optional<spec::DiffId>& diff_id) {
  return in_context([&] { return "decrypting layer " + layer.digest.str(); },
                    [&]() -> std::unique_ptr<io::Reader> {
                      const auto opened = crypt::open_layer(layer.annotations, keys);
                      return std::make_unique<DecryptedLayer>(std::move(encrypted), layer, opened, diff_id);
                    });
}

}  // namespace lade::copy

#include <algorithm>
#include <map>

#include "base/sync.hpp"
#include "io/codec/codec.hpp"
#include "io/readers.hpp"
#include "spec/image_config.hpp"
#include "spec/media_type.hpp"
#include "store/ids.hpp"
#include "transport/containers_storage/name.hpp"
#include "transport/containers_storage/partial_pull.hpp"
#include "transport/containers_storage/signatures.hpp"
#include "transport/raw_manifest.hpp"
#include "transport/transport.hpp"
#include "transport/verified_copy.hpp"

namespace lade::transport::containers_storage {

namespace {

constexpr std::uint64_t max_config = 16 * 1024 * 1024;

class TextWriter final : public io::Writer {
 public:
  void write(io::Bytes data) override {
    if (text.size() + data.size() > max_config) throw Error(Kind::invalid_input, "config is too large");
    text += io::as_text(data);
  }
  std::string text;
};

DestinationTraits storage_traits(const Name& name) {
  DestinationTraits traits;
  traits.manifest_types = {std::string(spec::media_type::oci_manifest),
                           std::string(spec::media_type::docker_manifest)};
  traits.accepts_lists = false;
  traits.keeps_list = true;
  if (name.reference) traits.required_digest = name.reference->digest();
  return traits;
}

class StorageDestination final : public ImageDestination,
                                 private SignatureDestination,
                                 private PartialDestination {
 public:
  StorageDestination(std::shared_ptr<store::Store> store, Name name)
      : store_(std::move(store)), partial_(store_), name_(std::move(name)), traits_(storage_traits(name_)) {}

  const DestinationTraits& traits() const override { return traits_; }

  std::optional<std::uint64_t> find_blob(const Context& context, const spec::Digest& digest) override {
    {
      auto blobs = blobs_.lock();
      if (const auto known = blobs->sizes.find(digest); known != blobs->sizes.end()) return known->second;
    }
    for (const auto& layer : store_->layers_with_digest(context, digest)) {
      if (!can_reuse(layer)) continue;
      const auto size = layer.diff_digest == digest ? layer.diff_size : layer.compressed_size;
      if (size <= 0) continue;
      return remember(digest, static_cast<std::uint64_t>(size), reused(layer));
    }
    return std::nullopt;
  }

  std::optional<std::uint64_t> find_unpacked(const Context& context, const spec::Descriptor& blob,
                                             const spec::Digest& uncompressed) override {
    for (const auto& layer : store_->layers_with_digest(context, uncompressed))
      if (can_reuse(layer) && layer.diff_digest == uncompressed)
        return remember(blob.digest, blob.size, reused(layer));
    return std::nullopt;
  }

  BlobInfo put_blob(const Context& context, const PutBlob& blob, io::Reader& data) override {
    if (blob.is_config) return put_config(context, blob, data);
    if (spec::is_encrypted_layer(blob.media_type))
      throw Error(
          Kind::unsupported,
          "containers-storage: the layer is encrypted; --decryption-key names a key that decrypts it");
    VerifiedBlob incoming(context, blob, data);
    auto [detected, compression] = io::detect(std::make_unique<io::BorrowedReader>(incoming));
    const auto plain = io::decompress(std::move(detected), compression);
    auto pending = store_->unpack(context, *plain);
    BlobInfo info = incoming.end();
    info.uncompressed = pending->diff_id;
    store::ImageLayer layer{pending->diff_id, std::move(pending),
                            store::ImageLayer::Blob{info.digest, info.size, compression}};
    remember(info.digest, info.size, std::move(layer));
    return info;
  }

  void keep_list(const Context&, const spec::RawManifest& list) override { list_ = list; }

  void put_manifest(const Context&, const spec::RawManifest& manifest,
                    const std::optional<spec::Digest>& instance) override {
    if (instance) throw Error(Kind::unsupported, "containers-storage: an image is no part of a list");
    if (std::ranges::find(traits_.manifest_types, manifest.media_type) == traits_.manifest_types.end())
      throw Error(Kind::unsupported,
                  "containers-storage: manifests of type \"" + manifest.media_type + "\" cannot be stored");
    if (spec::Manifest::parse(manifest.bytes, manifest.media_type).is_artifact())
      throw Error(Kind::invalid_input, "containers-storage: only images can be stored, not other artifacts");
    manifest_ = manifest;
  }

  void commit(const Context& context) override {
    if (!manifest_) throw Error(Kind::invalid_input, "there is no manifest to commit");
    const auto manifest = spec::Manifest::parse(manifest_->bytes, manifest_->media_type);
    const std::string config_bytes = config_of(manifest);
    const auto config = spec::ImageConfig::parse(config_bytes);
    store::NewImage image;
    image.id = name_.id.empty() ? manifest.config().digest.hex() : name_.id;
    if (name_.reference) image.names = {name_.reference->str()};
    image.layers = layers_of(manifest, config);
    image.big_data = items(manifest, config_bytes);
    image.metadata = sizes_.serialize();
    image.created = config.created;
    image.manifest = list_ ? list_->digest : manifest_->digest;
    store_->put_image(context, image);
    blobs_.lock()->layers.clear();
  }

  SignatureDestination* signature_destination() override { return this; }
  PartialDestination* partial_destination() override { return this; }

  std::optional<spec::Digest> find_manifest_digest(const Context& context) override {
    const auto image = find(context, *store_, name_);
    if (!image || !image->big_data.has("manifest")) return std::nullopt;
    return make_raw_manifest(store_->image_big_data(context, image->id, "manifest"), "").digest;
  }

 private:
  void put_signatures(const Context&, const std::vector<std::string>& signatures,
                      const std::optional<spec::Digest>& instance) override {
    if (instance || !manifest_)
      throw Error(Kind::unsupported, "containers-storage: an image is no part of a list");
    signatures_ = joined_signatures(signatures);
    sizes_.of_image = sizes_of(signatures);
    sizes_.of_manifests[manifest_->digest.str()] = sizes_.of_image;
  }

  std::optional<BlobInfo> put_parts(const Context& context, const spec::Descriptor& layer,
                                    BlobPartSource& source) override {
    auto pulled = partial_.pull(context, layer, source);
    if (!pulled) return std::nullopt;
    remember(layer.digest, layer.size, std::move(*pulled));
    return BlobInfo{layer.digest, layer.size};
  }

  // One without a tar-split could be taken only where the whole chain below it is the same.
  bool can_reuse(const store::LayerRecord& layer) const {
    return layer.diff_digest && store_->has_tar_split(layer.id);
  }

  static store::ImageLayer reused(const store::LayerRecord& layer) {
    store::ImageLayer result{*layer.diff_digest, nullptr, std::nullopt};
    const auto compression = store::compression_of(layer);
    if (layer.compressed_digest && compression && layer.compressed_size > 0)
      result.blob = {*layer.compressed_digest, static_cast<std::uint64_t>(layer.compressed_size),
                     *compression};
    return result;
  }

  std::uint64_t remember(const spec::Digest& digest, std::uint64_t size, store::ImageLayer layer) {
    auto blobs = blobs_.lock();
    blobs->sizes.insert_or_assign(digest, size);
    blobs->layers.insert_or_assign(digest, std::move(layer));
    return size;
  }

  BlobInfo put_config(const Context& context, const PutBlob& blob, io::Reader& data) {
    TextWriter text;
    const auto info = copy_verified(context, blob, data, text);
    auto blobs = blobs_.lock();
    blobs->sizes.insert_or_assign(info.digest, info.size);
    blobs->configs.insert_or_assign(info.digest, std::move(text.text));
    return info;
  }

  std::string config_of(const spec::Manifest& manifest) {
    auto blobs = blobs_.lock();
    const auto found = blobs->configs.find(manifest.config().digest);
    if (found == blobs->configs.end())
      throw Error(Kind::not_found, "the config " + manifest.config().digest.str() + " was not written");
    return found->second;
  }

  std::vector<store::ImageLayer> layers_of(const spec::Manifest& manifest, const spec::ImageConfig& config) {
    const auto& layers = manifest.layers();
    if (config.diff_ids.size() != layers.size())
      throw Error(Kind::invalid_input, "the config names " + std::to_string(config.diff_ids.size()) +
                                           " layers, the manifest " + std::to_string(layers.size()));
    std::vector<store::ImageLayer> result;
    auto blobs = blobs_.lock();
    for (std::size_t i = 0; i < layers.size(); ++i) {
      const auto found = blobs->layers.find(layers[i].digest);
      if (found == blobs->layers.end())
        throw Error(Kind::not_found, "the layer " + layers[i].digest.str() + " was not written");
      if (found->second.diff_id != config.diff_ids[i].digest)
        throw Error(Kind::integrity, "layer " + layers[i].digest.str() + ": uncompressed it is " +
                                         found->second.diff_id.str() + ", but the config says " +
                                         config.diff_ids[i].digest.str());
      result.push_back(found->second);
    }
    return result;
  }

  std::vector<store::BigDataItem> items(const spec::Manifest& manifest, const std::string& config) const {
    std::vector<store::BigDataItem> result{
        {manifest.config().digest.str(), config, manifest.config().digest}};
    if (list_) result.push_back({"manifest-" + list_->digest.str(), list_->bytes, list_->digest});
    result.push_back({"manifest-" + manifest_->digest.str(), manifest_->bytes, manifest_->digest});
    result.push_back({"manifest", manifest_->bytes, manifest_->digest});
    if (sizes_.of_image.empty()) return result;
    result.push_back({signature_key(std::nullopt), signatures_, std::nullopt});
    result.push_back({signature_key(manifest_->digest), signatures_, std::nullopt});
    return result;
  }

  // By the digests under which manifests name them.
  struct Blobs {
    std::map<spec::Digest, std::uint64_t> sizes;
    std::map<spec::Digest, store::ImageLayer> layers;
    std::map<spec::Digest, std::string> configs;
  };

  std::shared_ptr<store::Store> store_;
  PartialPull partial_;
  Name name_;
  DestinationTraits traits_;
  Sync<Blobs> blobs_;
  std::optional<spec::RawManifest> list_, manifest_;
  std::string signatures_;  // of the manifest, joined
  SignatureSizes sizes_;
};

}  // namespace

std::unique_ptr<ImageDestination> open_destination(const Context& context, const Name& name,
                                                   const Options& options) {
  if (!name.reference && !store::is_id(name.id))
    throw Error(Kind::invalid_input,
                "a destination needs a name or a full image ID, not \"" + name.str() + "\"");
  const auto store = store::Store::open(context, store_options(name, options));
  for (const auto& key : store->options().pull.unsupported)
    context.log.debug("storage.conf: the pull option " + key + " has no effect in lade");
  return std::make_unique<StorageDestination>(store, name);
}

}  // namespace lade::transport::containers_storage

#include <algorithm>

#include "io/stream.hpp"
#include "spec/media_type.hpp"
#include "transport/containers_storage/name.hpp"
#include "transport/containers_storage/signatures.hpp"
#include "transport/raw_manifest.hpp"
#include "transport/transport.hpp"

namespace lade::transport::containers_storage {

namespace {

std::string uncompressed_type(const spec::Manifest& manifest) {
  const bool oci = manifest.media_type() == spec::media_type::oci_manifest;
  return std::string(oci ? spec::media_type::oci_layer_tar : spec::media_type::docker_layer_tar);
}

class StorageSource final : public ImageSource, private SignatureSource {
 public:
  StorageSource(const Context& context, std::shared_ptr<const store::Store> store, const Name& name)
      : store_(std::move(store)),
        image_(resolve(context, *store_, name)),
        layers_(store_->chain(context, image_.layer)) {
    if (name.reference) digest_ = name.reference->digest();
  }

  spec::RawManifest manifest(const Context& context, const std::optional<spec::Digest>& instance) override {
    const auto& wanted = instance ? instance : digest_;
    if (wanted && image_.big_data.has("manifest-" + wanted->str()))
      return make_raw_manifest(item(context, "manifest-" + wanted->str()), "", wanted);
    auto top = make_raw_manifest(item(context, "manifest"), "");
    if (instance && top.digest != *instance)
      throw Error(Kind::not_found,
                  "reading manifest for image instance \"" + instance->str() + "\": file does not exist");
    return top;
  }

  SignatureSource* signature_source() override { return this; }

  Blob blob(const Context& context, const spec::Descriptor& blob) override {
    if (image_.big_data.has(blob.digest.str())) {
      auto text = item(context, blob.digest.str());
      const auto size = text.size();
      return {io::make_text_reader(std::move(text)), size};
    }
    const auto is_it = [&](const store::LayerRecord& layer) { return layer.diff_digest == blob.digest; };
    const auto found = std::ranges::find_if(layers_, is_it);
    if (found == layers_.end()) throw missing(blob.digest);
    std::optional<std::uint64_t> size;
    if (found->diff_size >= 0) size = static_cast<std::uint64_t>(found->diff_size);
    return {std::make_unique<DiffReader>(store_, store_->open_diff(context, found->id)), size};
  }

  std::optional<std::vector<spec::Descriptor>> stored_layers(const Context&,
                                                             const spec::Manifest& manifest) override {
    if (manifest.layers().size() != layers_.size())
      throw Error(Kind::invalid_input, "image " + image_.id + " has " + std::to_string(layers_.size()) +
                                           " layers in the store, but " +
                                           std::to_string(manifest.layers().size()) + " in its manifest");
    std::vector<spec::Descriptor> result;
    for (std::size_t i = 0; i < layers_.size(); ++i) {
      if (!layers_[i].diff_digest || layers_[i].diff_size < 0)
        throw Error(Kind::unsupported, "layer " + layers_[i].id + " has no uncompressed digest");
      spec::Descriptor layer = manifest.layers()[i];
      if (layer.digest != *layers_[i].diff_digest) {
        layer.media_type = uncompressed_type(manifest);
        layer.digest = *layers_[i].diff_digest;
        layer.size = static_cast<std::uint64_t>(layers_[i].diff_size);
        layer.urls.clear();
        layer.annotations.clear();
      } else if (layer.media_type.ends_with("gzip") || layer.media_type.ends_with("zstd")) {
        layer.media_type = uncompressed_type(manifest);  // as docker-archive: calls layers that are plain tars
      }
      result.push_back(std::move(layer));
    }
    return result;
  }

 private:
  std::vector<std::string> signatures(const Context& context,
                                      const std::optional<spec::Digest>& instance) override {
    const auto all = SignatureSizes::parse(image_.metadata);
    std::vector<std::uint64_t> sizes = all.of_image;
    if (instance) {
      const auto found = all.of_manifests.find(instance->str());
      sizes = found == all.of_manifests.end() ? std::vector<std::uint64_t>() : found->second;
    }
    return sizes.empty() ? std::vector<std::string>()
                         : split_signatures(item(context, signature_key(instance)), sizes);
  }

  // Keeps the store while it is read.
  class DiffReader final : public io::Reader {
   public:
    DiffReader(std::shared_ptr<const store::Store> store, std::unique_ptr<io::Reader> inner)
        : store_(std::move(store)), inner_(std::move(inner)) {}
    std::size_t read(io::Buffer buffer) override { return inner_->read(buffer); }

   private:
    std::shared_ptr<const store::Store> store_;
    std::unique_ptr<io::Reader> inner_;
  };

  std::string item(const Context& context, const std::string& key) const {
    return store_->image_big_data(context, image_.id, key);
  }

  Error missing(const spec::Digest& digest) const {
    for (const auto& layer : layers_)
      if (layer.compressed_digest == digest)
        return Error(Kind::not_found,
                     "blob " + digest.str() + " is kept uncompressed, as " +
                         (layer.diff_digest ? layer.diff_digest->str() : "layer " + layer.id));
    return Error(Kind::not_found, "image " + image_.id + " has no blob " + digest.str());
  }

  std::shared_ptr<const store::Store> store_;
  store::ImageRecord image_;
  std::vector<store::LayerRecord> layers_;  // root first
  std::optional<spec::Digest> digest_;      // that the reference names
};

}  // namespace

std::unique_ptr<ImageSource> open_source(const Context& context, const Name& name, const Options& options) {
  const auto where = store_options(name, options);
  std::shared_ptr<const store::Store> store;
  try {
    store = store::Store::open(context, where, store::Store::Access::read_only);
  } catch (const Error& error) {
    if (error.kind() != Kind::not_found) throw;
    throw Error(Kind::image_not_found, std::string(error.what()) + ": reference \"" + name.str() +
                                           "\" does not resolve to an image ID");
  }
  return std::make_unique<StorageSource>(context, std::move(store), name);
}

}  // namespace lade::transport::containers_storage

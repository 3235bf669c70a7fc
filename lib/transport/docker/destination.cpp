#include <fmt/format.h>

#include <map>

#include "base/sync.hpp"
#include "spec/media_type.hpp"
#include "transport/docker/docker.hpp"
#include "transport/docker/signatures.hpp"

namespace lade::transport {

namespace {

DestinationTraits make_traits(const spec::Reference& reference) {
  namespace type = spec::media_type;
  DestinationTraits traits;
  for (const std::string_view taken :
       {type::oci_manifest, type::docker_manifest, type::oci_index, type::docker_list,
        type::docker_manifest_v1_signed, type::docker_manifest_v1}) {
    traits.manifest_types.emplace_back(taken);
  }
  traits.layers = DestinationTraits::Layers::compress;
  traits.accepts_foreign_urls = true;
  traits.why_no_signatures = "no place for signatures of images in registries is configured";
  traits.required_digest = reference.digest();
  return traits;
}

// Blobs are published as they come; the image appears with its top manifest.
class DockerDestination final : public ImageDestination, private BlobMounter, private SignatureDestination {
 public:
  DockerDestination(std::shared_ptr<registry::Client> client, spec::Reference reference,
                    std::shared_ptr<const config::RegistriesD> registries_d)
      : client_(std::move(client)),
        reference_(std::move(reference)),
        traits_(make_traits(reference_)),
        registries_d_(std::move(registries_d)) {
    if (registries_d_) signatures_.emplace(client_, reference_, registries_d_);
  }

  const DestinationTraits& traits() const override { return traits_; }

  std::optional<std::uint64_t> find_blob(const Context& context, const spec::Digest& digest) override {
    {
      auto known = known_.lock();
      if (const auto found = known->find(digest); found != known->end()) return found->second;
    }
    const auto size = client_->find_blob(context, digest);
    remember(digest, size);
    return size;
  }

  BlobInfo put_blob(const Context& context, const PutBlob& blob, io::Reader& data) override {
    std::uint64_t written = 0;
    const spec::Digest digest = client_->put_blob(context, blob.digest, blob.size, data, written);
    remember(digest, written);
    return {digest, written};
  }

  void put_manifest(const Context& context, const spec::RawManifest& manifest,
                    const std::optional<spec::Digest>& instance) override {
    const auto& required = instance ? instance : reference_.digest();
    if (required && manifest.digest != *required) {
      throw Error(Kind::integrity, fmt::format("the manifest has digest {}, but is to be stored under {}",
                                               manifest.digest.str(), required->str()));
    }
    const bool by_tag = !instance && reference_.tag();
    client_->put_manifest(context, by_tag ? *reference_.tag() : manifest.digest.str(), manifest);
    if (!instance) top_ = manifest.digest;
  }

  void commit(const Context&) override {}

  std::optional<spec::Digest> find_manifest_digest(const Context& context) override {
    if (reference_.is_name_only()) return std::nullopt;
    const auto info =
        client_->find_manifest(context, reference_.tag() ? *reference_.tag() : reference_.digest()->str());
    if (!info) return std::nullopt;
    return info->digest;
  }

  BlobMounter* mounter() override { return this; }
  SignatureDestination* signature_destination() override { return signatures_ ? this : nullptr; }

  std::unique_ptr<ImageDestination> sibling(const Context&, const std::string& tag) override {
    return std::make_unique<DockerDestination>(client_, reference_.without_tag_or_digest().with_tag(tag),
                                               registries_d_);
  }

 private:
  void put_signatures(const Context& context, const std::vector<std::string>& signatures,
                      const std::optional<spec::Digest>& instance) override {
    signatures_->write(context, signatures, instance ? *instance : top_.value());
  }

  bool mount(const Context& context, const BlobInfo& blob, const std::string& from) override {
    if (!client_->mount_blob(context, blob.digest, from)) return false;
    remember(blob.digest, blob.size);
    return true;
  }

  void remember(const spec::Digest& digest, std::optional<std::uint64_t> size) {
    known_.lock()->insert_or_assign(digest, size);
  }

  std::shared_ptr<registry::Client> client_;
  spec::Reference reference_;
  DestinationTraits traits_;
  std::shared_ptr<const config::RegistriesD> registries_d_;
  std::optional<DockerSignatures> signatures_;
  std::optional<spec::Digest> top_;                                   // of the top manifest, once it is there
  Sync<std::map<spec::Digest, std::optional<std::uint64_t>>> known_;  // nullopt: not there
};

}  // namespace

std::unique_ptr<ImageDestination> open_docker_destination(const spec::Reference& reference,
                                                          const Options& options) {
  std::shared_ptr<registry::Client> client =
      registry::Client::make(reference.domain(), reference.path(), registry::Access::push, options.registry);
  return std::make_unique<DockerDestination>(std::move(client), reference, options.registries_d);
}

}  // namespace lade::transport

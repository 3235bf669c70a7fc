#include <fmt/format.h>

#include <array>

#include "base/parallel.hpp"
#include "config/registries_conf.hpp"
#include "io/digester.hpp"
#include "transport/docker/docker.hpp"
#include "transport/docker/signatures.hpp"

namespace lade::transport {

namespace {

// Of tag and digest, the digest says what is meant.
spec::Reference to_read(const spec::Reference& reference) {
  return reference.digest() ? reference.with_digest(*reference.digest()) : reference;
}

std::string tag_or_digest(const spec::Reference& reference) {
  return reference.digest() ? reference.digest()->str() : reference.tag().value();
}

class DockerSource final : public ImageSource,
                           private BlobPartSource,
                           private ReferrerLister,
                           private SignatureSource {
 public:
  DockerSource(std::shared_ptr<registry::Client> client, spec::RawManifest manifest,
               std::optional<DockerSignatures> signatures)
      : client_(std::move(client)), manifest_(std::move(manifest)), signatures_(std::move(signatures)) {}

  spec::RawManifest manifest(const Context& context, const std::optional<spec::Digest>& instance) override {
    return instance ? client_->manifest(context, instance->str()) : manifest_;
  }

  Blob blob(const Context& context, const spec::Descriptor& blob) override {
    // A registry may have been given the layers that others only point to.
    const bool elsewhere = !blob.urls.empty() && !client_->find_blob(context, blob.digest);
    registry::BlobBody body = elsewhere ? client_->blob_from_urls(context, blob.urls)
                                        : client_->blob(context, blob.digest, blob.size);
    return {std::move(body.reader), body.size};
  }

  BlobPartSource* part_source() override { return this; }
  ReferrerLister* referrer_lister() override { return this; }
  SignatureSource* signature_source() override { return signatures_ ? this : nullptr; }

 private:
  std::unique_ptr<io::Reader> blob_parts(const Context& context, const spec::Descriptor& blob,
                                         const std::vector<io::ByteRange>& parts) override {
    return blob.urls.empty() ? client_->blob_parts(context, blob.digest, blob.size, parts) : nullptr;
  }

  std::vector<std::string> signatures(const Context& context,
                                      const std::optional<spec::Digest>& instance) override {
    if (instance) return signatures_->read(context, *instance);
    // Signatures are found by the SHA-256 digest, whatever the image was asked for by.
    return signatures_->read(context, io::digest_of(spec::manifest_payload(manifest_.bytes)));
  }

  std::vector<Referrer> referrers(const Context& context, const spec::Digest& digest) override {
    std::vector<Referrer> all;
    for (auto& descriptor : client_->referrers(context, digest)) all.push_back({std::move(descriptor), ""});
    for (auto& signature : cosign_tags(context, digest)) {
      if (signature) all.push_back(std::move(*signature));
    }
    return all;
  }

  // cosign's place for signatures, attestations and SBOMs in registries without referrers.
  std::array<std::optional<Referrer>, 3> cosign_tags(const Context& context, const spec::Digest& digest) {
    static constexpr std::array<std::string_view, 3> suffixes = {"sig", "att", "sbom"};
    std::array<std::optional<Referrer>, 3> found;
    const bool signatures_apart = signatures_ && signatures_->reads_attachments();
    parallel_for(context, suffixes.size(), suffixes.size(), [&](const Context& inner, std::size_t i) {
      if (i == 0 && signatures_apart) return;  // they come along as signatures
      const std::string tag = fmt::format("{}-{}.{}", digest.algorithm_name(), digest.hex(), suffixes[i]);
      if (auto info = client_->find_manifest(inner, tag)) {
        spec::Descriptor descriptor{.media_type = info->media_type,
                                    .digest = info->digest,
                                    .size = info->size,
                                    .urls = {},
                                    .annotations = {},
                                    .platform = {},
                                    .artifact_type = {},
                                    .data = {}};
        found[i] = Referrer{std::move(descriptor), tag};
      }
    });
    return found;
  }

  std::shared_ptr<registry::Client> client_;
  spec::RawManifest manifest_;
  std::optional<DockerSignatures> signatures_;
};

std::vector<config::PullEndpoint> endpoints(const spec::Reference& reference, const Options& options) {
  if (!options.registry.registries) return {{reference, false, false}};
  return options.registry.registries->pull_endpoints(reference);
}

// --tls-verify wins over registries.conf; credentials typed for one host are not shown to a mirror on
// another.
registry::Options options_for(const config::PullEndpoint& endpoint, const spec::Reference& reference,
                              const Options& options) {
  registry::Options result = options.registry;
  if (!result.tls_verify) result.tls_verify = !endpoint.insecure;
  if (endpoint.reference.domain() != reference.domain()) {
    result.credentials.reset();
    result.registry_token.clear();
  }
  return result;
}

std::unique_ptr<registry::Client> make_client(const config::PullEndpoint& endpoint,
                                              const spec::Reference& reference, const Options& options) {
  return registry::Client::make(endpoint.reference.domain(), endpoint.reference.path(),
                                registry::Access::pull, options_for(endpoint, reference, options));
}

std::unique_ptr<ImageSource> open_endpoint(const Context& context, const config::PullEndpoint& endpoint,
                                           const spec::Reference& reference, const Options& options) {
  std::shared_ptr<registry::Client> client = make_client(endpoint, reference, options);
  auto manifest = client->manifest(context, tag_or_digest(endpoint.reference));
  std::optional<DockerSignatures> signatures;
  if (options.registries_d) signatures.emplace(client, endpoint.reference, options.registries_d);
  return std::make_unique<DockerSource>(std::move(client), std::move(manifest), std::move(signatures));
}

}  // namespace

std::optional<spec::Digest> find_docker_digest(const Context& context, const spec::Reference& reference,
                                               const Options& options) {
  const spec::Reference wanted = to_read(reference);
  const auto places = endpoints(wanted, options);
  for (std::size_t i = 0; i < places.size(); ++i) {
    try {
      const auto found =
          make_client(places[i], wanted, options)->find_manifest(context, tag_or_digest(places[i].reference));
      if (found) return found->digest;
    } catch (const Error&) {
      if (i + 1 == places.size()) throw;
    }
  }
  return std::nullopt;
}

std::unique_ptr<ImageSource> open_docker_source(const Context& context, const spec::Reference& reference,
                                                const Options& options) {
  const spec::Reference wanted = to_read(reference);
  const auto places = endpoints(wanted, options);
  std::string failures;
  for (std::size_t i = 0;; ++i) {
    try {
      return open_endpoint(context, places.at(i), wanted, options);
    } catch (Error& error) {
      const std::string name = places[i].reference.str();
      if (i + 1 < places.size()) {
        failures += fmt::format("{}[{}: {}]", failures.empty() ? "" : "\n", name, error.what());
        continue;
      }
      if (!failures.empty()) {
        error.add_context(name);
        error.add_context(fmt::format("(Mirrors also failed: {})", failures));
      }
      throw;
    }
  }
}

}  // namespace lade::transport

#include "transport/docker_daemon/destination.hpp"

#include "transport/docker_archive/archive.hpp"
#include "transport/docker_archive/writer.hpp"
#include "transport/docker_daemon/load.hpp"

namespace lade::transport::docker_daemon {

namespace {

// The archive of docker-archive:, into a request.
class DaemonDestination final : public ImageDestination {
 public:
  DaemonDestination(const Context& context, const spec::Reference& reference, const Options& options)
      : load_(context, std::make_shared<const Client>(context, parse_host(options.docker_daemon), options)) {
    DestinationTraits traits = docker_archive::destination_traits(DestinationTraits::Layers::preserve);
    traits.why_no_signatures = "Storing signatures for docker-daemon: destinations is not supported";
    archive_ = docker_archive::make_destination(
        std::move(traits), {reference},
        std::make_unique<docker_archive::Writer>(load_, options.big_files_dir));
  }

  const DestinationTraits& traits() const override { return archive_->traits(); }
  std::optional<std::uint64_t> find_blob(const Context& context, const spec::Digest& digest) override {
    return archive_->find_blob(context, digest);
  }
  BlobInfo put_blob(const Context& context, const PutBlob& blob, io::Reader& data) override {
    return archive_->put_blob(context, blob, data);
  }
  void put_manifest(const Context& context, const spec::RawManifest& manifest,
                    const std::optional<spec::Digest>& instance) override {
    archive_->put_manifest(context, manifest, instance);
  }
  void commit(const Context& context) override {
    archive_->commit(context);
    load_.finish();
  }
  // What the daemon has tells no digest of a manifest.
  std::optional<spec::Digest> find_manifest_digest(const Context&) override { return std::nullopt; }

 private:
  Load load_;
  std::unique_ptr<ImageDestination> archive_;
};

}  // namespace

std::unique_ptr<ImageDestination> open_destination(const Context& context, const spec::Reference& reference,
                                                   const Options& options) {
  return std::make_unique<DaemonDestination>(context, reference, options);
}

}  // namespace lade::transport::docker_daemon

#include <fmt/format.h>

#include "transport/archive_input.hpp"
#include "transport/docker/docker.hpp"
#include "transport/docker_archive/archive.hpp"
#include "transport/docker_daemon/client.hpp"
#include "transport/docker_daemon/destination.hpp"
#include "transport/docker_daemon/docker_daemon.hpp"

namespace lade::transport {

namespace {

[[noreturn]] void refuse_name(std::string message) {
  throw Error(Kind::invalid_input, std::move(message));
}

// An ID, or a reference that has a tag or a digest, but not both.
class DockerDaemonReference final : public ImageReference {
 public:
  explicit DockerDaemonReference(spec::Digest id) : id_(std::move(id)) {}
  explicit DockerDaemonReference(spec::Reference reference) : reference_(std::move(reference)) {}

  std::string_view transport() const override { return "docker-daemon"; }
  std::string rest() const override { return id_ ? id_->str() : reference_->familiar(); }
  std::optional<spec::Reference> docker_reference() const override { return reference_; }

  std::unique_ptr<ImageSource> open_source(const Context& context, const Options& options) const override {
    docker_daemon::Host host = docker_daemon::parse_host(options.docker_daemon);
    const auto archive = in_context("loading image from docker engine", [&] {
      const docker_daemon::Client client(context, std::move(host), options);
      return spool_plain_tar(context, client.save(context, rest()), options.big_files_dir);
    });
    archive::TarIndex tar(context, archive, archive::TarIndex::Duplicates::first);
    return docker_archive::open_source(context, docker_archive::Archive(std::move(tar)), transport());
  }

  std::unique_ptr<ImageDestination> open_destination(const Context& context,
                                                     const Options& options) const override {
    if (!reference_ || !reference_->tag()) {
      refuse_name(
          fmt::format("Invalid destination docker-daemon:{}: a destination must be a name:tag", rest()));
    }
    return docker_daemon::open_destination(context, *reference_, options);
  }

  // Anything may be called by its ID: only the scope of all images is left for it.
  std::string policy_identity() const override {
    return reference_ ? DockerReference(*reference_).policy_identity() : "";
  }
  std::vector<std::string> policy_scopes() const override {
    return reference_ ? DockerReference(*reference_).policy_scopes() : std::vector<std::string>();
  }

 private:
  std::optional<spec::Digest> id_;
  std::optional<spec::Reference> reference_;
};

docker_daemon::Client make_daemon_client(const Context& context, const Options& options) {
  return {context, docker_daemon::parse_host(options.docker_daemon), options};
}

class DockerDaemonTransport final : public Transport {
 public:
  std::string_view name() const override { return "docker-daemon"; }

  std::unique_ptr<ImageReference> parse(std::string_view rest) const override {
    if (auto id = spec::Digest::try_parse(rest)) {
      if (id->algorithm() == spec::Digest::Algorithm::sha256) {
        return std::make_unique<DockerDaemonReference>(std::move(*id));
      }
      refuse_name(
          fmt::format("Invalid docker-daemon: reference {}: only digest algorithm sha256 accepted", rest));
    }
    spec::Reference reference = spec::Reference::parse(rest);
    if (reference.without_tag_or_digest().familiar() == "sha256") {
      refuse_name(
          fmt::format("Invalid docker-daemon: reference {}: The sha256 repository name is reserved for "
                      "(non-shortened) digest references",
                      rest));
    }
    if (reference.is_name_only()) {
      refuse_name(
          fmt::format("docker-daemon: reference {} has neither a tag nor a digest", reference.familiar()));
    }
    if (reference.tag() && reference.digest()) {
      refuse_name("docker-daemon: references with both a tag and digest are currently not supported");
    }
    return std::make_unique<DockerDaemonReference>(std::move(reference));
  }
};

}  // namespace

const Transport& docker_daemon_transport() {
  static const DockerDaemonTransport transport;
  return transport;
}

std::vector<DaemonImage> list_daemon_images(const Context& context, const Options& options) {
  return make_daemon_client(context, options).images(context);
}

std::optional<spec::Digest> find_daemon_image(const Context& context, const ImageReference& reference,
                                              const Options& options) {
  return make_daemon_client(context, options).find_image(context, reference.rest());
}

}  // namespace lade::transport

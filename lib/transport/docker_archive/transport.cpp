#include "transport/docker_archive/archive.hpp"
#include "transport/docker_archive/docker_archive.hpp"

namespace lade::transport {

namespace {

class DockerArchiveReference final : public ImageReference {
 public:
  explicit DockerArchiveReference(docker_archive::ArchiveName name) : name_(std::move(name)) {}

  std::string_view transport() const override { return "docker-archive"; }
  std::string rest() const override { return name_.str(); }
  std::optional<spec::Reference> docker_reference() const override { return name_.reference; }

  std::unique_ptr<ImageSource> open_source(const Context& context, const Options& options) const override {
    return docker_archive::open_source(context, name_, options);
  }
  std::unique_ptr<ImageDestination> open_destination(const Context&, const Options& options) const override {
    return docker_archive::open_destination(name_, options);
  }

 private:
  docker_archive::ArchiveName name_;
};

class DockerArchiveTransport final : public Transport {
 public:
  std::string_view name() const override { return "docker-archive"; }
  std::unique_ptr<ImageReference> parse(std::string_view rest) const override {
    return std::make_unique<DockerArchiveReference>(docker_archive::parse_archive_name(rest));
  }
};

}  // namespace

const Transport& docker_archive_transport() {
  static const DockerArchiveTransport transport;
  return transport;
}

std::vector<std::string> docker_archive_tags(const Context& context, const ImageReference& reference,
                                             const Options& options) {
  const auto name = docker_archive::parse_archive_name(reference.rest());
  const docker_archive::Archive archive(context, name.path, options.big_files_dir);
  std::vector<std::string> result;
  for (std::size_t i = 0; i < archive.items().size(); ++i) {
    const auto& tags = archive.items()[i].tags;
    result.insert(result.end(), tags.begin(), tags.end());
    if (tags.empty()) result.push_back("@" + std::to_string(i));
  }
  return result;
}

}  // namespace lade::transport

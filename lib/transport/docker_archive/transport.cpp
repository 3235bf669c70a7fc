#include "transport/docker_archive/archive.hpp"
#include "transport/docker_archive/docker_archive.hpp"
#include "transport/docker_archive/writer.hpp"

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

class OneOfSeveral final : public ImageReference {
 public:
  OneOfSeveral(std::string path, std::shared_ptr<docker_archive::Writer> writer,
               std::vector<spec::Reference> tags)
      : path_(std::move(path)), writer_(std::move(writer)), tags_(std::move(tags)) {}

  std::string_view transport() const override { return "docker-archive"; }
  std::string rest() const override { return path_; }
  std::unique_ptr<ImageDestination> open_destination(const Context&, const Options&) const override {
    return docker_archive::open_destination(writer_, tags_);
  }

 private:
  std::string path_;
  std::shared_ptr<docker_archive::Writer> writer_;
  std::vector<spec::Reference> tags_;
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

struct DockerArchiveFile::Impl {
  std::string path;
  std::shared_ptr<docker_archive::Writer> writer;
};

DockerArchiveFile::DockerArchiveFile(const std::string& path, const Options& options)
    : impl_(std::make_unique<Impl>(
          Impl{path, std::make_shared<docker_archive::Writer>(path, options.big_files_dir)})) {}

DockerArchiveFile::~DockerArchiveFile() = default;

std::unique_ptr<ImageReference> DockerArchiveFile::image(std::vector<spec::Reference> tags) {
  return std::make_unique<OneOfSeveral>(impl_->path, impl_->writer, std::move(tags));
}

void DockerArchiveFile::finish() {
  impl_->writer->finish();
}

}  // namespace lade::transport

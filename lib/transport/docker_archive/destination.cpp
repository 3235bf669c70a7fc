#include "io/readers.hpp"
#include "spec/media_type.hpp"
#include "transport/docker_archive/archive.hpp"
#include "transport/docker_archive/writer.hpp"

namespace lade::transport::docker_archive {

namespace {

constexpr std::size_t max_written_config = 4 << 20;

std::vector<spec::Reference> tags_of(const ArchiveName& name, const Options& options) {
  std::vector<spec::Reference> tags;
  if (name.reference) tags.push_back(*name.reference);
  tags.insert(tags.end(), options.additional_tags.begin(), options.additional_tags.end());
  return tags;
}

const ArchiveName& check_is_destination(const ArchiveName& name) {
  if (name.index) {
    throw Error(Kind::invalid_input,
                "Destination reference must not contain a manifest index @" + std::to_string(*name.index));
  }
  return name;
}

class Destination final : public ImageDestination {
 public:
  // `last`: commit finishes the archive; otherwise whoever else has the writer does.
  Destination(DestinationTraits traits, std::vector<spec::Reference> tags, std::shared_ptr<Writer> writer,
              bool last)
      : traits_(std::move(traits)), tags_(std::move(tags)), writer_(std::move(writer)), last_(last) {}

  const DestinationTraits& traits() const override { return traits_; }

  std::optional<std::uint64_t> find_blob(const Context&, const spec::Digest& digest) override {
    return writer_->find_blob(digest);
  }

  BlobInfo put_blob(const Context& context, const PutBlob& blob, io::Reader& data) override {
    if (!blob.is_config) return writer_->put_blob(context, blob, data);
    // Parts of the config go into the tables as well.
    std::string bytes = io::read_all(data, max_written_config, "config");
    const auto reader = io::make_text_reader(bytes);
    const BlobInfo info = writer_->put_blob(context, blob, *reader);
    config_ = std::move(bytes);
    return info;
  }

  void put_manifest(const Context&, const spec::RawManifest& manifest,
                    const std::optional<spec::Digest>& instance) override {
    if (instance) throw Error(Kind::unsupported, "Manifest lists are not supported for docker tar files");
    if (manifest.media_type != spec::media_type::docker_manifest) {
      throw Error(Kind::unsupported, "Unsupported manifest type, need a Docker schema 2 manifest");
    }
    const auto parsed = spec::Manifest::parse(manifest.bytes, manifest.media_type);
    check_blob(parsed.config().digest);
    for (const auto& layer : parsed.layers()) check_blob(layer.digest);
    writer_->add_image(parsed.layers(), parsed.config().digest, config_, tags_);
    complete_ = true;
  }

  void commit(const Context& context) override {
    if (!complete_) throw Error(Kind::invalid_input, "no manifest was written to the archive");
    context.throw_if_stopped();
    if (last_) writer_->finish();
  }

  // There is never an image before: archives are not modified.
  std::optional<spec::Digest> find_manifest_digest(const Context&) override { return std::nullopt; }

 private:
  void check_blob(const spec::Digest& digest) const {
    if (writer_->find_blob(digest)) return;
    throw Error(Kind::invalid_input, "blob " + digest.str() + " of the manifest was not written");
  }

  DestinationTraits traits_;
  std::vector<spec::Reference> tags_;
  std::shared_ptr<Writer> writer_;
  bool last_;
  std::string config_;
  bool complete_ = false;
};

}  // namespace

DestinationTraits destination_traits(DestinationTraits::Layers layers) {
  DestinationTraits traits;
  traits.manifest_types = {std::string(spec::media_type::docker_manifest)};
  traits.accepts_lists = false;
  traits.layers = layers;
  traits.parallel_blobs = false;
  traits.why_no_signatures = "Storing signatures for docker tar files is not supported";
  return traits;
}

std::unique_ptr<ImageDestination> make_destination(DestinationTraits traits,
                                                   std::vector<spec::Reference> tags,
                                                   std::unique_ptr<Writer> writer) {
  return std::make_unique<Destination>(std::move(traits), std::move(tags), std::move(writer), true);
}

std::unique_ptr<ImageDestination> open_destination(const ArchiveName& name, const Options& options) {
  std::vector<spec::Reference> tags = tags_of(check_is_destination(name), options);
  return make_destination(destination_traits(DestinationTraits::Layers::decompress), std::move(tags),
                          std::make_unique<Writer>(name.path, options.big_files_dir));
}

std::unique_ptr<ImageDestination> open_destination(std::shared_ptr<Writer> writer,
                                                   std::vector<spec::Reference> tags) {
  return std::make_unique<Destination>(destination_traits(DestinationTraits::Layers::decompress), std::move(tags),
                                       std::move(writer), false);
}

}  // namespace lade::transport::docker_archive

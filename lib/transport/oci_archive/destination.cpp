#include <map>
#include <set>

#include "transport/archive_output.hpp"
#include "transport/oci/layout_writing.hpp"
#include "transport/oci_archive/archive.hpp"

namespace lade::transport::oci_archive {

namespace {

// Times are zero, so that the same image gives the same archive.
archive::TarHeader file_header(std::string name) {
  archive::TarHeader header;
  header.name = std::move(name);
  return header;
}

archive::TarHeader blob_header(const spec::Digest& digest) {
  return file_header("blobs/" + std::string(digest.algorithm_name()) + "/" + digest.hex());
}

DestinationTraits make_traits(const Options& options) {
  auto traits = oci::layout_traits(options);
  traits.parallel_blobs = false;
  return traits;
}

class Destination final : public ImageDestination {
 public:
  Destination(const oci::LayoutName& name, const Options& options)
      : name_(name), traits_(make_traits(options)), output_(name.path, options.big_files_dir) {
    make_directory("blobs/");
  }

  const DestinationTraits& traits() const override { return traits_; }

  std::optional<std::uint64_t> find_blob(const Context&, const spec::Digest& digest) override {
    const auto found = blobs_.find(digest);
    return found == blobs_.end() ? std::nullopt : std::optional(found->second);
  }

  BlobInfo put_blob(const Context& context, const PutBlob& blob, io::Reader& data) override {
    make_directory("blobs/" + algorithm_of(blob) + "/");
    const BlobInfo info = output_.add_blob(context, blob, data, [this](const spec::Digest& digest) {
      return blobs_.contains(digest) ? std::nullopt : std::optional(blob_header(digest));
    });
    blobs_.emplace(info.digest, info.size);
    return info;
  }

  void put_manifest(const Context& context, const spec::RawManifest& manifest,
                    const std::optional<spec::Digest>& instance) override {
    const auto prepared = oci::prepare_manifest(manifest, instance, name_.image);
    PutBlob blob;
    blob.digest = prepared.raw.digest;
    blob.size = prepared.raw.bytes.size();
    const auto reader = io::make_text_reader(prepared.raw.bytes);
    put_blob(context, blob, *reader);
    if (prepared.entry) index_.add(*prepared.entry);
  }

  void commit(const Context& context) override {
    context.throw_if_stopped();
    output_.add(file_header(std::string(oci::index_file)), index_.serialize());
    output_.add(file_header(std::string(oci::layout_file)), oci::layout_text);
    output_.finish();
  }

  // The old archive goes as a whole.
  std::optional<spec::Digest> find_manifest_digest(const Context&) override { return std::nullopt; }

 private:
  static std::string algorithm_of(const PutBlob& blob) {
    return std::string(blob.digest ? blob.digest->algorithm_name() : "sha256");
  }

  void make_directory(const std::string& name) {
    if (!directories_.insert(name).second) return;
    archive::TarHeader header = file_header(name);
    header.type = archive::TarType::directory;
    header.mode = 0755;
    output_.add(header, "");
  }

  oci::LayoutName name_;
  DestinationTraits traits_;
  ArchiveOutput output_;
  std::set<std::string> directories_;
  std::map<spec::Digest, std::uint64_t> blobs_;
  oci::LayoutIndex index_;
};

}  // namespace

std::unique_ptr<ImageDestination> open_destination(const oci::LayoutName& name, const Options& options) {
  return std::make_unique<Destination>(name, options);
}

}  // namespace lade::transport::oci_archive

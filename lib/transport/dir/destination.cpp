#include <set>

#include "base/sync.hpp"
#include "os/atomic_file.hpp"
#include "os/file.hpp"
#include "spec/json.hpp"
#include "transport/dir/layout.hpp"
#include "transport/raw_manifest.hpp"
#include "transport/verified_copy.hpp"

namespace lade::transport::dir {

namespace {

namespace fs = std::filesystem;

DestinationTraits traits_of(const Options& options) {
  if (options.dir_compress && options.dir_decompress) {
    throw Error(Kind::invalid_input, "Cannot compress and decompress at the same time");
  }
  DestinationTraits traits;
  if (options.dir_compress) traits.layers = DestinationTraits::Layers::compress;
  if (options.dir_decompress) traits.layers = DestinationTraits::Layers::decompress;
  return traits;
}

[[noreturn]] void throw_not_an_image() {
  throw Error(Kind::already_exists,
              "not a containers image directory, don't want to overwrite important data");
}

// What the directory holds when we come. An image there stays complete until ours is: commit() replaces its
// manifest, and only then removes what is not part of ours.
enum class Found { nothing, empty, image };

Found examine(const fs::path& directory) {
  if (!fs::exists(directory)) return Found::nothing;
  if (fs::is_empty(directory)) return Found::empty;
  const auto text = os::find_file(directory / version_file, 1024);
  const auto version = text ? parse_version(*text) : std::nullopt;
  if (!version) throw_not_an_image();
  check_version(*version, directory.string());
  return Found::image;
}

class Destination final : public ImageDestination, private SignatureDestination {
 public:
  Destination(fs::path directory, const Options& options)
      : directory_(std::move(directory)), traits_(traits_of(options)) {
    const Found found = examine(directory_);
    created_ = found == Found::nothing;
    if (created_) os::mkdir_all(directory_);
    // Written first, so that a later attempt knows what an interrupted one has left.
    if (found != Found::image) write_small(std::string(version_file), Version().str());
  }

  ~Destination() override {
    if (!committed_) take_back();
  }

  const DestinationTraits& traits() const override { return traits_; }

  // Blobs of the image that was there before are not looked at: nobody has checked them.
  std::optional<std::uint64_t> find_blob(const Context&, const spec::Digest& digest) override {
    if (!written_.lock()->files.contains(blob_file(digest))) return std::nullopt;
    return fs::file_size(directory_ / blob_file(digest));
  }

  BlobInfo put_blob(const Context& context, const PutBlob& blob, io::Reader& data) override {
    os::AtomicFile file(directory_, "dir-put-blob");
    const BlobInfo info = copy_verified(context, blob, data, file);
    note_algorithm(info.digest);
    publish(file, blob_file(info.digest), {.mode = 0644, .sync = true});
    return info;
  }

  // Kept in memory until commit.
  void put_manifest(const Context&, const spec::RawManifest& manifest,
                    const std::optional<spec::Digest>& instance) override {
    if (instance) {
      make_raw_manifest(manifest.bytes, manifest.media_type, instance);
      note_algorithm(*instance);
    }
    if (instance) {
      small_files_.lock()->insert_or_assign(manifest_file_of(instance), manifest.bytes);
    } else {
      top_manifest_ = manifest.bytes;
    }
  }

  SignatureDestination* signature_destination() override { return this; }

  void commit(const Context& context) override {
    if (!top_manifest_) throw Error(Kind::invalid_input, "no manifest was written to the directory");
    context.throw_if_stopped();
    const auto small_files = *small_files_.lock();
    for (const auto& [name, bytes] : small_files) write_small(name, bytes);
    const Version version = written_.lock()->version;
    write_small(std::string(version_file), version.str());
    write_small(std::string(manifest_file), *top_manifest_);
    committed_ = true;
    remove_strangers();
  }

  std::optional<spec::Digest> find_manifest_digest(const Context&) override {
    const auto bytes = os::find_file(directory_ / manifest_file, spec::max_manifest_size);
    if (!bytes) return std::nullopt;
    return make_raw_manifest(*bytes, "").digest;
  }

 private:
  void put_signatures(const Context&, const std::vector<std::string>& signatures,
                      const std::optional<spec::Digest>& instance) override {
    auto small_files = small_files_.lock();
    for (std::size_t i = 0; i < signatures.size(); ++i) {
      small_files->insert_or_assign(signature_file_of(instance, i + 1), signatures[i]);
    }
  }

  struct Written {
    std::set<std::string> files;  // all that belongs to our image
    std::set<std::string> added;  // of these, what was not there before
    Version version;
  };

  void publish(os::AtomicFile& file, const std::string& name, os::AtomicFile::CommitOptions options) {
    const bool is_new = !fs::exists(directory_ / name);
    file.commit(directory_ / name, options);
    auto written = written_.lock();
    written->files.insert(name);
    if (is_new) written->added.insert(name);
  }

  void write_small(const std::string& name, std::string_view text) {
    os::AtomicFile file(directory_, "dir-put-file");
    file.write(io::as_bytes(text));
    publish(file, name, {});
  }

  void note_algorithm(const spec::Digest& digest) {
    if (digest.algorithm() != spec::Digest::Algorithm::sha256) written_.lock()->version = newest_version;
  }

  void remove_strangers() {
    const auto files = written_.lock()->files;
    std::vector<fs::path> strangers;
    for (const auto& entry : fs::directory_iterator(directory_)) {
      if (!files.contains(entry.path().filename().string())) strangers.push_back(entry.path());
    }
    for (const auto& path : strangers) fs::remove_all(path);
  }

  // Leaves the directory as it was found; what cannot be removed stays.
  void take_back() noexcept {
    std::error_code ignored;
    for (const auto& name : written_.lock()->added) fs::remove(directory_ / name, ignored);
    if (created_) fs::remove(directory_, ignored);
  }

  fs::path directory_;
  DestinationTraits traits_;
  bool created_ = false;
  Sync<Written> written_;
  Sync<std::map<std::string, std::string>> small_files_;  // manifests of instances, signatures
  std::optional<std::string> top_manifest_;
  bool committed_ = false;
};

}  // namespace

std::unique_ptr<ImageDestination> open_destination(const std::string& directory, const Options& options) {
  return std::make_unique<Destination>(directory, options);
}

}  // namespace lade::transport::dir

#include <set>
#include <utility>

#include "base/sync.hpp"
#include "os/atomic_file.hpp"
#include "os/file.hpp"
#include "os/lock_file.hpp"
#include "transport/oci/layout.hpp"
#include "transport/oci/layout_writing.hpp"
#include "transport/verified_copy.hpp"

namespace lade::transport::oci {

namespace {

namespace fs = std::filesystem;

// Blobs appear under their digests at once, and stay after a failure: nothing refers to them, and the next
// attempt need not send them again. Names change in commit() only.
class Destination final : public ImageDestination {
 public:
  Destination(const LayoutName& name, const Options& options)
      : name_(name),
        options_(options),
        traits_(layout_traits(options)),
        layout_(fs::path(name.path), options.shared_blob_dir) {
    if (name.index) {
      throw Error(Kind::invalid_input,
                  "Destination reference must not contain a manifest index @" + std::to_string(*name.index));
    }
    if (layout_.exists()) LayoutIndex{layout_.index()};
    for (const auto& directory : {layout_.path(), layout_.path() / "blobs", layout_.blobs()}) {
      if (fs::exists(directory)) continue;
      os::mkdir_all(directory);
      created_.push_back(directory);
    }
  }

  ~Destination() override {
    if (!committed_) remove_empty_directories();
  }

  const DestinationTraits& traits() const override { return traits_; }

  std::optional<std::uint64_t> find_blob(const Context&, const spec::Digest& digest) override {
    const auto found = layout_.find_blob(digest);
    if (!found) return std::nullopt;
    needed_.lock()->insert(digest);
    return found->size;
  }

  BlobInfo put_blob(const Context& context, const PutBlob& blob, io::Reader& data) override {
    // In the file system of the blobs, which may be another one than that of the index.
    const bool shared = layout_.blobs() != layout_.path() / "blobs";
    os::AtomicFile file(shared ? layout_.blobs() : layout_.path(), "oci-put-blob");
    const BlobInfo info = copy_verified(context, blob, data, file);
    const auto target = layout_.blob_path(info.digest);
    os::mkdir_all(target.parent_path());
    file.commit(target, {.mode = 0644, .sync = true});
    needed_.lock()->insert(info.digest);
    return info;
  }

  void put_manifest(const Context&, const spec::RawManifest& manifest,
                    const std::optional<spec::Digest>& instance) override {
    auto prepared = prepare_manifest(manifest, instance, name_.image);
    const auto target = layout_.blob_path(prepared.raw.digest);
    os::mkdir_all(target.parent_path());
    os::write_file(target, prepared.raw.bytes);
    needed_.lock()->insert(prepared.raw.digest);
    if (prepared.entry) entries_.lock()->push_back(std::move(*prepared.entry));
  }

  void commit(const Context& context) override {
    if (!fs::exists(layout_.path() / layout_file)) os::write_file(layout_.path() / layout_file, layout_text);
    const os::LockFile lock(context, layout_.path());
    check_blobs();
    LayoutIndex index = layout_.exists() ? LayoutIndex(layout_.index()) : LayoutIndex();
    const auto entries = std::exchange(*entries_.lock(), {});
    for (const auto& entry : entries) index.add(entry);
    os::write_file(layout_.index_path(), index.serialize());
    committed_ = true;
  }

  std::optional<spec::Digest> find_manifest_digest(const Context&) override {
    if (!layout_.exists()) return std::nullopt;
    const LayoutIndex index(layout_.index());
    for (const auto& entry : index.manifests()) {
      if (!name_.image.empty() && LayoutIndex::name_of(entry) == name_.image) return entry.digest;
    }
    if (!name_.image.empty() || index.manifests().size() != 1) return std::nullopt;
    return index.manifests().front().digest;
  }

  std::unique_ptr<ImageDestination> sibling(const Context&, const std::string& tag) override {
    return std::make_unique<Destination>(LayoutName{name_.path, tag, std::nullopt}, options_);
  }

 private:
  // Somebody may have removed an image, and a blob with it, after we found the blob here.
  void check_blobs() {
    for (const auto& digest : *needed_.lock()) {
      if (fs::exists(layout_.blob_path(digest))) continue;
      throw Error(Kind::unavailable,
                  "blob " + digest.str() + " was removed from " + layout_.path().string() + " meanwhile");
    }
  }

  void remove_empty_directories() noexcept {
    std::error_code ignored;
    if (!created_.empty()) fs::remove(layout_.blobs() / "sha256", ignored);
    for (auto directory = created_.rbegin(); directory != created_.rend(); ++directory) {
      fs::remove(*directory, ignored);
    }
  }

  LayoutName name_;
  Options options_;
  DestinationTraits traits_;
  LayoutDirectory layout_;
  std::vector<fs::path> created_;  // directories that were not there before
  Sync<std::set<spec::Digest>> needed_;
  Sync<std::vector<spec::Descriptor>> entries_;  // for index.json
  bool committed_ = false;
};

}  // namespace

std::unique_ptr<ImageDestination> open_destination(const LayoutName& name, const Options& options) {
  return std::make_unique<Destination>(name, options);
}

}  // namespace lade::transport::oci

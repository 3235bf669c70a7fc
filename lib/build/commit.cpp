#include "build/commit.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "archive/tar_writer.hpp"
#include "base/error.hpp"
#include "build/excludes.hpp"
#include "build/source_items.hpp"
#include "io/codec/codec.hpp"
#include "io/codec/gzip_compressor.hpp"
#include "io/readers.hpp"
#include "io/writers.hpp"
#include "layer/diff.hpp"
#include "os/file.hpp"
#include "os/temp_dir.hpp"
#include "store/ids.hpp"

namespace lade::build {

using spec::Json;

namespace {

// A layer that another program queued, or a copy with --link.
struct LinkedLayer {
  ImageDraft::Event event;
  std::filesystem::path path;  // a directory, or the blob of an uncompressed layer
};

std::vector<LinkedLayer> linked_layers(const Builder& builder, std::string_view member) {
  std::vector<LinkedLayer> result;
  for (const Json& entry : spec::array_member(builder.document(), member, state_file)) {
    const Json* history = spec::find_member(entry, "History");
    LinkedLayer layer;
    layer.path = spec::string_member(entry, "BlobPath", member);
    if (history != nullptr && history->is_object())
      layer.event = {spec::string_member(*history, "created", member),
                     spec::string_member(*history, "created_by", member),
                     spec::string_member(*history, "comment", member)};
    result.push_back(std::move(layer));
  }
  return result;
}

class Commit {
 public:
  Commit(const Builders& builders, const Builder& builder, const CommitOptions& options)
      : builders_(builders),
        store_(*builders.store()),
        context_(builders.context()),
        builder_(builder),
        options_(options),
        draft_(builder, options, store::format_time(context_.clock.now())) {}

  Committed run() {
    const auto container = store_.find_container(context_, builder_.id());
    if (!container)
      throw Error(Kind::not_found,
                  fmt::format("locating container \"{}\": container not known", builder_.id()));
    const auto before = linked_layers(builder_, "PrependedLinkedLayers");
    const auto after = linked_layers(builder_, "AppendedLinkedLayers");
    std::vector<ImageDraft::Event> events_before, events_after;
    if (options_.squash) {
      if (!before.empty() || !after.empty())
        throw Error(Kind::invalid_input,
                    "can't add prebuilt layers and produce an image with only one layer, at the same time");
      add_squashed();
    } else {
      add_base(*container);
      add_linked(before, events_before);
      add_changes();
      add_files(events_after);
      add_linked(after, events_after);
    }
    draft_.add_history(events_before, events_after);
    return put(draft_.finish());
  }

 private:
  layer::DiffOptions diff_options() const {
    layer::DiffOptions result;
    result.mtime = options_.timestamp;
    if (options_.rewrite_timestamp) result.latest_mtime = options_.source_date_epoch;
    return result;
  }

  void add_base(const store::ContainerRecord& container) {
    const auto own = store_.find_layer(context_, container.layer);
    if (!own) throw Error(Kind::not_found, "layer " + container.layer + " is not in the store");
    for (const auto& layer : store_.chain(context_, own->parent)) {
      if (!layer.diff_digest) {
        add_tar(*store_.open_diff(context_, layer.id), false);
        continue;
      }
      layers_.push_back({*layer.diff_digest, nullptr, blob_of(layer)});
      draft_.add_layer({*layer.diff_digest, *layer.diff_digest, static_cast<std::uint64_t>(layer.diff_size)});
    }
  }

  void add_changes() {
    auto options = diff_options();
    options.without_unchanged_directories = true;
    options.leave_out = read_excludes(store_.container_directory(builder_.id()));
    os::UniqueFd beside;
    std::optional<layer::FileClones> clones;
    if (const auto directory = store_.unpacking_directory()) {
      os::mkdir_all(*directory, 0700);
      beside = os::open_file(*directory, O_RDONLY | O_DIRECTORY);
      options.clones = &clones.emplace(beside);
    }
    add_tar(*store_.open_changes(context_, builder_.id(), std::move(options)), options_.gzip,
            clones ? &*clones : nullptr);
  }

  // All that is in the container.
  void add_squashed() {
    Builder builder = builder_;
    MountedBuilder mounted(builders_, builder);
    const os::TempDir nothing(store_.layout().run_root, "empty");
    auto options = diff_options();
    // All of it is as the container sees it, the layers below too.
    options.ids = builder.id_maps();
    options.leave_out = read_excludes(store_.container_directory(builder_.id()));
    const auto lower = os::open_file(nothing.path(), O_RDONLY | O_DIRECTORY);
    const auto upper = os::open_file(mounted.path(), O_RDONLY | O_DIRECTORY);
    const auto tar = layer::diff_trees(context_, lower, upper, std::move(options));
    if (options_.add_files.empty()) {
      add_tar(*tar, options_.gzip);
    } else {
      const auto more = files_tar();
      const auto both = joined_tars({tar.get(), more.get()});
      add_tar(*both, options_.gzip);
    }
    mounted.unmount();
  }

  void add_linked(const std::vector<LinkedLayer>& linked, std::vector<ImageDraft::Event>& events) {
    for (const auto& layer : linked) {
      in_context([&] { return "layer " + layer.path.string(); },
                 [&] {
                   if (std::filesystem::is_directory(layer.path)) {
                     auto options = diff_options();
                     options.lowers.emplace();
                     const auto directory = os::open_file(layer.path, O_RDONLY | O_DIRECTORY);
                     add_tar(*layer::diff(context_, directory, std::move(options)), options_.gzip);
                   } else {
                     os::FileReader tar(layer.path);
                     add_tar(tar, options_.gzip);
                   }
                 });
      events.push_back(layer.event);
    }
  }

  void add_files(std::vector<ImageDraft::Event>& events) {
    if (options_.add_files.empty()) return;
    const auto tar = files_tar();
    const auto diff_id = add_tar(*tar, options_.gzip);
    events.push_back({"", fmt::format("/bin/sh -c #(nop) ADD dir:{} in /", diff_id.hex()), ""});
  }

  std::unique_ptr<io::Reader> files_tar() const {
    os::UniqueFd file = os::open_unnamed(store_.container_directory(builder_.id()));
    write_files(file);
    if (::lseek(file.get(), 0, SEEK_SET) != 0) throw Error::from_errno(errno, "lseek");
    return std::make_unique<os::FileReader>(std::move(file));
  }

  void write_files(const os::UniqueFd& file) const {
    os::FileWriter out(os::duplicate(file.get()));
    archive::TarWriter writer(out);
    for (const auto& [name, path] : options_.add_files) {
      archive::TarHeader header;
      header.name = name.substr(std::min(name.find_first_not_of('/'), name.size()));
      header.mtime.seconds = options_.fixed_time().value_or(
          std::chrono::duration_cast<std::chrono::seconds>(context_.clock.now().time_since_epoch()).count());
      os::FileReader reader(path);
      header.size = static_cast<std::uint64_t>(os::stat_of(reader.fd()).st_size);
      writer.begin(header);
      io::copy(reader, writer);
    }
    writer.finish();
  }

  // Into the store, beside its layers: nobody sees it yet.
  spec::Digest add_tar(io::Reader& tar, bool gzip, layer::FileClones* clones = nullptr) {
    io::NullWriter nowhere;
    io::DigestingWriter blob(nowhere);
    std::optional<io::GzipWriter> compressor;
    std::optional<io::TeeReader> tee;
    if (gzip) {
      compressor.emplace(blob, io::usual_gzip_level);
      tee.emplace(tar, *compressor);
    }
    auto pending = store_.unpack(context_, tee ? static_cast<io::Reader&>(*tee) : tar, clones);
    ImageDraft::Layer layer{pending->diff_id, pending->diff_id, pending->size, gzip};
    store::ImageLayer stored{pending->diff_id, pending, std::nullopt};
    if (compressor) {
      compressor->finish();
      layer.digest = blob.finish();
      layer.size = blob.count();
      stored.blob = {layer.digest, layer.size, io::Compression::gzip};
    }
    draft_.add_layer(layer);
    layers_.push_back(std::move(stored));
    return layer.diff_id;
  }

  Committed put(const ImageDraft::Documents& documents) {
    store::NewImage image;
    image.id = documents.config_digest.hex();
    image.names = options_.names;
    image.layers = std::move(layers_);
    image.created = documents.created;
    image.manifest = documents.manifest.digest;
    image.big_data = {
        {documents.config_digest.str(), documents.config, documents.config_digest},
        {"manifest-" + documents.manifest.digest.str(), documents.manifest.bytes, documents.manifest.digest},
        {"manifest", documents.manifest.bytes, documents.manifest.digest}};
    const bool was_there = store_.find_image(context_, image.id).has_value();
    const auto record = store_.put_image(context_, image);
    return {record.id, documents.manifest, was_there};
  }

  const Builders& builders_;
  store::Store& store_;
  const Context& context_;
  const Builder& builder_;
  const CommitOptions& options_;
  ImageDraft draft_;
  std::vector<store::ImageLayer> layers_;
};

}  // namespace

Committed commit(const Builders& builders, const Builder& builder, const CommitOptions& options) {
  return Commit(builders, builder, options).run();
}

}  // namespace lade::build

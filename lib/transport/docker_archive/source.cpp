#include <atomic>
#include <map>
#include <thread>

#include "base/parallel.hpp"
#include "io/codec/codec.hpp"
#include "io/digester.hpp"
#include "spec/image_config.hpp"
#include "spec/json.hpp"
#include "spec/media_type.hpp"
#include "transport/docker_archive/archive.hpp"
#include "transport/raw_manifest.hpp"

namespace lade::transport::docker_archive {

namespace {

constexpr std::size_t max_config_size = 4 << 20;

// Layers are known by their diff ids: a compressed one is handed out uncompressed.
struct Layer {
  const archive::TarEntry* entry = nullptr;
  std::uint64_t size = 0;  // uncompressed
};
using Layers = std::map<spec::Digest, Layer>;

std::unique_ptr<io::Reader> open_plain(const Archive& archive, const archive::TarEntry& entry) {
  auto [stored, compression] = io::detect(archive.open(entry));
  return compression == io::Compression::none ? std::move(stored)
                                              : io::decompress(std::move(stored), compression);
}

std::uint64_t plain_size(const Context& context, const Archive& archive, const archive::TarEntry& entry) {
  auto [stored, compression] = io::detect(archive.open(entry));
  if (compression == io::Compression::none) return entry.header.size;
  const auto plain = io::decompress(std::move(stored), compression);
  std::vector<std::byte> buffer(io::chunk_size);
  std::uint64_t size = 0;
  while (const auto n = plain->read(buffer)) {
    context.throw_if_stopped();
    size += n;
  }
  return size;
}

Layers find_layers(const Context& context, const Archive& archive, const Item& item,
                   const std::vector<spec::DiffId>& diff_ids) {
  if (item.layers.size() != diff_ids.size()) {
    throw Error(Kind::invalid_input, "Inconsistent layer count: " + std::to_string(item.layers.size()) +
                                         " in manifest, " + std::to_string(diff_ids.size()) + " in config");
  }
  Layers layers;
  std::vector<Layer*> unsized;
  for (std::size_t i = 0; i < diff_ids.size(); ++i) {
    const auto [layer, is_new] = layers.try_emplace(diff_ids[i].digest);
    if (!is_new) continue;  // the same layer twice in one image
    layer->second.entry = &archive.entry(item.layers[i]);
    unsized.push_back(&layer->second);
  }
  // Only decompressing a layer tells its size, which the manifest needs.
  parallel_for(context, unsized.size(), std::max(1U, std::thread::hardware_concurrency()),
               [&](const Context& inner, std::size_t i) {
                 unsized[i]->size = plain_size(inner, archive, *unsized[i]->entry);
               });
  return layers;
}

class Source final : public ImageSource {
 public:
  Source(const Context& context, Archive archive, const ArchiveName& name, std::string_view transport)
      : transport_(transport),
        archive_(std::move(archive)),
        item_(archive_.choose(name)),
        config_(archive_.read(item_.config, max_config_size)),
        config_digest_(io::digest_of(config_)),
        parsed_(parse_config(item_.config, config_)),
        layers_(find_layers(context, archive_, item_, parsed_.diff_ids)),
        manifest_(make_manifest()) {}

  spec::RawManifest manifest(const Context&, const std::optional<spec::Digest>& instance) override {
    if (instance)
      throw Error(Kind::unsupported, "Manifest lists are not supported by \"" + transport_ + ":\"");
    return manifest_;
  }

  Blob blob(const Context&, const spec::Descriptor& blob) override {
    if (blob.digest == config_digest_) return {io::make_text_reader(config_), config_.size()};
    const auto layer = layers_.find(blob.digest);
    if (layer == layers_.end()) throw Error(Kind::not_found, "Unknown blob " + blob.digest.str());
    return {open_plain(archive_, *layer->second.entry), layer->second.size};
  }

  bool synthesizes_manifest() const override { return true; }

 private:
  static spec::ImageConfig parse_config(const std::string& path, const std::string& bytes) {
    auto config = in_context([&] { return "decoding tar config " + spec::dump_json(path); },
                             [&] { return spec::ImageConfig::parse(bytes); });
    if (spec::find_member(config.document, "rootfs") == nullptr) {
      throw Error(Kind::invalid_input, "Invalid image config (rootFS is not set): " + spec::dump_json(path));
    }
    return config;
  }

  spec::RawManifest make_manifest() const {
    const auto describe = [](std::string_view type, const spec::Digest& digest, std::uint64_t size) {
      return spec::Descriptor{std::string(type), digest, size, {}, {}, {}, "", ""};
    };
    std::vector<spec::Descriptor> layers;
    for (const auto& id : parsed_.diff_ids) {
      // containers/image gives the gzip type to these uncompressed layers, and so do we: the digest of the
      // manifest is the same.
      layers.push_back(describe(spec::media_type::docker_layer_gzip, id.digest, layers_.at(id.digest).size));
    }
    const auto config = describe(spec::media_type::docker_config, config_digest_, config_.size());
    const auto type = spec::media_type::docker_manifest;
    return make_raw_manifest(spec::Manifest::make(type, config, layers).serialize(), std::string(type));
  }

  std::string transport_;
  Archive archive_;
  const Item& item_;
  std::string config_;
  spec::Digest config_digest_;
  spec::ImageConfig parsed_;
  Layers layers_;
  spec::RawManifest manifest_;
};

}  // namespace

std::unique_ptr<ImageSource> open_source(const Context& context, const ArchiveName& name,
                                         const Options& options) {
  return std::make_unique<Source>(context, Archive(context, name.path, options.big_files_dir), name,
                                  "docker-archive");
}

std::unique_ptr<ImageSource> open_source(const Context& context, Archive archive,
                                         std::string_view transport) {
  return std::make_unique<Source>(context, std::move(archive), ArchiveName{}, transport);
}

}  // namespace lade::transport::docker_archive

#include "transport/tarball/source.hpp"

#include <unistd.h>

#include <map>
#include <thread>

#include "base/parallel.hpp"
#include "io/codec/codec.hpp"
#include "io/readers.hpp"
#include "os/file.hpp"
#include "spec/json.hpp"
#include "spec/media_type.hpp"
#include "spec/time.hpp"
#include "transport/raw_manifest.hpp"

namespace lade::transport::tarball {

namespace {

struct Layer {
  std::shared_ptr<const os::UniqueFd> file;
  std::uint64_t size = 0;
  timespec time{};
  std::string_view media_type;
  std::optional<spec::Digest> digest;
  std::optional<spec::Digest> diff_id;

  std::unique_ptr<io::Reader> open() const { return std::make_unique<os::RangeReader>(file, 0, size); }
};

timespec now(const Clock& clock) {
  const auto time = clock.now().time_since_epoch();
  const auto seconds = std::chrono::floor<std::chrono::seconds>(time);
  timespec result{};
  result.tv_sec = seconds.count();
  result.tv_nsec = std::chrono::nanoseconds(time - seconds).count();
  return result;
}

// Pipes are read again and again only from a copy.
Layer spool(const Context& context, os::UniqueFd fd, const std::string& directory) {
  os::FileReader input(std::move(fd));
  os::FileWriter copy(os::open_unnamed(directory));
  Layer layer;
  layer.size = io::copy(input, copy);
  layer.file = std::make_shared<const os::UniqueFd>(os::duplicate(copy.fd().get()));
  layer.time = now(context.clock);
  return layer;
}

Layer open_layer(const Context& context, const std::string& path, const std::string& spool_directory) {
  auto fd = path == standard_input ? os::duplicate(STDIN_FILENO) : os::open_file(path, O_RDONLY);
  const auto status = os::stat_of(fd);
  if (path == standard_input || !S_ISREG(status.st_mode))
    return spool(context, std::move(fd), spool_directory);
  Layer layer;
  layer.size = static_cast<std::uint64_t>(status.st_size);
  layer.time = status.st_mtim;
  layer.file = std::make_shared<const os::UniqueFd>(std::move(fd));
  return layer;
}

// xz and bzip2 have no media type; containers/image calls them gzip.
std::string_view media_type_of(io::Compression compression) {
  switch (compression) {
    case io::Compression::none: return spec::media_type::oci_layer_tar;
    case io::Compression::zstd: return spec::media_type::oci_layer_zstd;
    default: return spec::media_type::oci_layer_gzip;
  }
}

class StopReader final : public io::Reader {
 public:
  StopReader(const Context& context, std::unique_ptr<io::Reader> inner)
      : context_(context), inner_(std::move(inner)) {}
  std::size_t read(io::Buffer buffer) override {
    context_.throw_if_stopped();
    return inner_->read(buffer);
  }

 private:
  const Context& context_;
  std::unique_ptr<io::Reader> inner_;
};

void learn_digests(const Context& context, Layer& layer) {
  StopReader stored(context, layer.open());
  io::DigestingReader digesting(stored);
  bool ended = false;
  auto [data, compression] = io::detect(std::make_unique<io::BorrowedReader>(digesting, ended));
  layer.media_type = media_type_of(compression);
  if (compression == io::Compression::none) {
    io::drain(*data);
    layer.digest = digesting.finish();
    layer.diff_id = layer.digest;
    return;
  }
  const auto plain = io::decompress(std::move(data), compression);
  io::DigestingReader plain_digesting(*plain);
  io::drain(plain_digesting);
  if (!ended) io::drain(digesting);
  layer.digest = digesting.finish();
  layer.diff_id = plain_digesting.finish();
}

std::string format_time(const timespec& time) {
  return spec::format_time(time.tv_sec, static_cast<std::uint32_t>(time.tv_nsec));
}

std::string make_config(const std::vector<Layer>& layers, const TarballConfig& wanted) {
  timespec created{};
  spec::Json diff_ids = spec::Json::array();
  spec::Json history = spec::Json::array();
  for (const auto& layer : layers) {
    diff_ids.push_back(layer.diff_id->str());
    history.push_back({{"created", format_time(layer.time)},
                       {"created_by", "/bin/sh -c #(nop) ADD file:" + layer.diff_id->hex() + " in /"},
                       {"comment", wanted.comment.empty() ? "imported from tarball" : wanted.comment}});
    const auto key = [](const timespec& time) { return std::pair(time.tv_sec, time.tv_nsec); };
    if (key(created) < key(layer.time)) created = layer.time;
  }
  spec::Json json = {
      {"created", format_time(created)},
      {"architecture", wanted.architecture.empty() ? spec::host_architecture() : wanted.architecture},
      {"os", wanted.os.empty() ? spec::host_os() : wanted.os}};
  if (!wanted.variant.empty()) json["variant"] = wanted.variant;
  json["config"] = wanted.config;
  json["rootfs"] = {{"type", "layers"}, {"diff_ids", std::move(diff_ids)}};
  json["history"] = std::move(history);
  return spec::dump_json(json);
}

class Source final : public ImageSource {
 public:
  Source(std::vector<Layer> layers, const TarballConfig& config)
      : layers_(std::move(layers)),
        config_(make_config(layers_, config)),
        config_digest_(io::digest_of(config_)),
        manifest_(make_manifest()) {}

  spec::RawManifest manifest(const Context&, const std::optional<spec::Digest>& instance) override {
    if (instance) {
      throw Error(Kind::unsupported, "manifest lists are not supported by the \"tarball\" transport");
    }
    return manifest_;
  }

  Blob blob(const Context&, const spec::Descriptor& blob) override {
    if (blob.digest == config_digest_) return {io::make_text_reader(config_), config_.size()};
    for (const auto& layer : layers_) {
      if (layer.digest == blob.digest) return {layer.open(), layer.size};
    }
    throw Error(Kind::not_found, "no blob with digest \"" + blob.digest.str() + "\" found");
  }

  bool synthesizes_manifest() const override { return true; }

 private:
  spec::RawManifest make_manifest() const {
    std::vector<spec::Descriptor> descriptors;
    for (const auto& layer : layers_) {
      descriptors.push_back({std::string(layer.media_type), *layer.digest, layer.size, {}, {}, {}, "", ""});
    }
    const spec::Descriptor config{
        std::string(spec::media_type::oci_config), config_digest_, config_.size(), {}, {}, {}, "", ""};
    const auto type = spec::media_type::oci_manifest;
    return make_raw_manifest(spec::Manifest::make(type, config, descriptors).serialize(), std::string(type));
  }

  std::vector<Layer> layers_;
  std::string config_;
  spec::Digest config_digest_;
  spec::RawManifest manifest_;
};

}  // namespace

std::unique_ptr<ImageSource> open_source(const Context& context, const std::vector<std::string>& files,
                                         const TarballConfig& config, const Options& options) {
  std::vector<Layer> layers;
  const auto what = [&](std::size_t i) { return "error reading \"" + files[i] + "\""; };
  for (std::size_t i = 0; i < files.size(); ++i) {
    layers.push_back(in_context([&] { return what(i); },
                                [&] { return open_layer(context, files[i], options.big_files_dir); }));
  }
  parallel_for(context, layers.size(), std::max(1U, std::thread::hardware_concurrency()),
               [&](const Context& inner, std::size_t i) {
                 in_context([&] { return what(i); }, [&] { learn_digests(inner, layers[i]); });
               });
  return std::make_unique<Source>(std::move(layers), config);
}

}  // namespace lade::transport::tarball

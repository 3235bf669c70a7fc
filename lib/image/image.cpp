#include "image/image.hpp"

#include "base/error.hpp"
#include "io/readers.hpp"
#include "spec/media_type.hpp"

namespace lade::image {

namespace {

// Lists within lists are rare; endless ones are hostile.
constexpr int max_list_depth = 4;

std::variant<spec::Manifest, Schema1> parse(const spec::RawManifest& manifest) {
  if (spec::is_schema1(manifest.media_type)) return Schema1::parse(manifest.bytes);
  return spec::Manifest::parse(manifest.bytes, manifest.media_type);
}

}  // namespace

Image::Image(transport::ImageSource& source, spec::RawManifest manifest)
    : source_(source), raw_(std::move(manifest)), parsed_(parse(raw_)) {}

bool Image::is_artifact() const {
  return manifest() != nullptr && manifest()->is_artifact();
}

std::string Image::artifact_type() const {
  if (!is_artifact()) return "";
  const std::string& type = manifest()->artifact_type();
  return type.empty() ? manifest()->config().media_type : type;
}

std::vector<Image::Layer> Image::layers() const {
  std::vector<Layer> layers;
  if (const Schema1* old = schema1()) {
    for (const auto& layer : old->layers) layers.push_back({"", layer.blob, std::nullopt, {}});
    return layers;
  }
  for (const auto& layer : manifest()->layers())
    layers.push_back({layer.media_type, layer.digest, layer.size, layer.annotations});
  return layers;
}

std::string Image::read_config(const Context& context, const spec::Descriptor& config) const {
  return in_context([&] { return "reading config " + config.digest.str(); },
                    [&] {
                      if (config.size > spec::max_manifest_size)
                        throw Error(
                            Kind::invalid_input,
                            "config is larger than " + std::to_string(spec::max_manifest_size) + " bytes");
                      const transport::Blob blob = source_.blob(context, config);
                      io::VerifyingReader verifying(*blob.reader, config.digest, config.size);
                      return io::read_all(verifying, spec::max_manifest_size, "config");
                    });
}

const std::string& Image::config_bytes(const Context& context) {
  const std::lock_guard lock(config_mutex_);
  if (!config_) config_ = manifest() == nullptr ? "" : read_config(context, manifest()->config());
  return *config_;
}

spec::ImageConfig Image::config(const Context& context) {
  if (const Schema1* old = schema1()) return old->config();
  if (is_artifact())
    throw Error(Kind::unsupported,
                "unsupported image-specific operation on artifact with type \"" + artifact_type() + "\"");
  return spec::ImageConfig::parse(config_bytes(context));
}

spec::RawManifest choose_instance(const Context& context, transport::ImageSource& source,
                                  spec::RawManifest top, const spec::PlatformChoice& choice) {
  for (int depth = 0; spec::is_list(top.media_type); ++depth) {
    if (depth == max_list_depth) throw Error(Kind::invalid_input, "lists are nested too deeply");
    const auto list = spec::Index::parse(top.bytes, top.media_type);
    const auto& instance = in_context("choosing image instance",
                                      [&]() -> const spec::Descriptor& { return list.choose(choice); });
    top = in_context("loading manifest for target platform",
                     [&] { return source.manifest(context, instance.digest); });
  }
  return top;
}

}  // namespace lade::image

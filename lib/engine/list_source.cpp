#include "engine/list_source.hpp"

#include <fmt/format.h>

#include <mutex>

#include "os/file.hpp"
#include "spec/manifest.hpp"
#include "spec/media_type.hpp"
#include "transport/raw_manifest.hpp"
#include "transport/transports.hpp"

namespace lade::engine {
namespace {

using transport::ImageReference;
using transport::ImageSource;
using OptionsOf = std::function<transport::Options(const ImageReference&)>;

class ListSource final : public ImageSource, private transport::SignatureSource {
 public:
  ListSource(StoredList stored, OptionsOf options_of)
      : stored_(std::move(stored)), options_of_(std::move(options_of)), bytes_(stored_.list.serialize()) {}

  spec::RawManifest manifest(const Context& context, const std::optional<spec::Digest>& instance) override {
    if (!instance) return transport::make_raw_manifest(bytes_, "");
    const auto artifact = stored_.artifacts.manifests.find(instance->str());
    if (artifact != stored_.artifacts.manifests.end())
      return transport::make_raw_manifest(artifact->second, "", *instance);
    ImageSource& member = member_of(context, *instance);
    auto raw = member.manifest(context, std::nullopt);
    if (raw.digest != *instance) raw = member.manifest(context, instance);
    remember(member, raw);
    return raw;
  }

  transport::Blob blob(const Context& context, const spec::Descriptor& blob) override {
    const std::string digest = blob.digest.str();
    if (ImageSource* owner = owner_of(digest)) return owner->blob(context, blob);
    if (const auto text = stored_.artifacts.blobs.find(digest); text != stored_.artifacts.blobs.end())
      return {io::make_text_reader(text->second), text->second.size()};
    const auto file = stored_.artifacts.detached.find(digest);
    if (file == stored_.artifacts.detached.end())
      throw Error(Kind::not_found, fmt::format("no image of the list has the blob {}", digest));
    return {std::make_unique<os::FileReader>(std::filesystem::path(file->second)), blob.size};
  }

  std::optional<std::vector<spec::Descriptor>> stored_layers(const Context& context,
                                                             const spec::Manifest& manifest) override {
    ImageSource* owner = owner_of(manifest.config().digest.str());
    if (owner == nullptr) return std::nullopt;
    auto layers = owner->stored_layers(context, manifest);
    if (layers) {
      const std::lock_guard lock(mutex_);
      for (const auto& layer : *layers) owners_[layer.digest.str()] = owner;
    }
    return layers;
  }

  SignatureSource* signature_source() override { return this; }

 private:
  std::vector<std::string> signatures(const Context& context,
                                      const std::optional<spec::Digest>& instance) override {
    if (!instance || stored_.artifacts.manifests.contains(instance->str())) return {};
    ImageSource& member = member_of(context, *instance);
    auto* source = member.signature_source();
    if (source == nullptr) return {};
    const bool is_top = member.manifest(context, std::nullopt).digest == *instance;
    return source->signatures(context, is_top ? std::nullopt : instance);
  }

  ImageSource& member_of(const Context& context, const spec::Digest& instance) {
    const auto name = stored_.instances.find(instance.str());
    if (name == stored_.instances.end())
      throw Error(Kind::not_found, fmt::format("where the image {} of the list is, is not known", instance.str()));
    const std::lock_guard lock(mutex_);
    auto& source = members_[name->second];
    if (!source) {
      const auto reference = transport::parse_image_name(name->second);
      source = in_context([&] { return fmt::format("reading image \"{}\"", name->second); },
                          [&] { return reference->open_source(context, options_of_(*reference)); });
    }
    return *source;
  }

  void remember(ImageSource& member, const spec::RawManifest& raw) {
    if (raw.media_type != spec::media_type::oci_manifest && raw.media_type != spec::media_type::docker_manifest)
      return;
    const auto manifest = spec::Manifest::parse(raw.bytes, raw.media_type);
    const std::lock_guard lock(mutex_);
    owners_[manifest.config().digest.str()] = &member;
    for (const auto& layer : manifest.layers()) owners_.try_emplace(layer.digest.str(), &member);
  }

  ImageSource* owner_of(const std::string& digest) {
    const std::lock_guard lock(mutex_);
    const auto found = owners_.find(digest);
    return found == owners_.end() ? nullptr : found->second;
  }

  StoredList stored_;
  OptionsOf options_of_;
  std::string bytes_;
  std::mutex mutex_;
  std::map<std::string, std::unique_ptr<ImageSource>> members_;  // by name
  std::map<std::string, ImageSource*> owners_;                   // of blobs
};

class ListReference final : public ImageReference {
 public:
  ListReference(StoredList stored, OptionsOf options_of)
      : stored_(std::move(stored)), options_of_(std::move(options_of)) {}

  std::string_view transport() const override { return "containers-storage"; }
  std::string rest() const override { return "@" + stored_.id; }
  std::unique_ptr<ImageSource> open_source(const Context&, const transport::Options&) const override {
    return std::make_unique<ListSource>(stored_, options_of_);
  }

 private:
  StoredList stored_;
  OptionsOf options_of_;
};

}  // namespace

std::unique_ptr<transport::ImageReference> list_reference(
    StoredList stored, std::function<transport::Options(const transport::ImageReference&)> options_of) {
  return std::make_unique<ListReference>(std::move(stored), std::move(options_of));
}

}  // namespace lade::engine

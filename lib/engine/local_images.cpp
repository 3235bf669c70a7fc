#include "engine/local_images.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "engine/image_names.hpp"
#include "spec/manifest.hpp"
#include "spec/media_type.hpp"
#include "store/ids.hpp"
#include "transport/raw_manifest.hpp"

namespace lade::engine {
namespace {

using store::ImageRecord;

constexpr std::string_view manifest_item = "manifest";
constexpr std::string_view digest_prefix = "sha256:";
// What buildah keeps in the directory of each of its containers.
constexpr std::string_view buildah_state = "buildah.json";

bool is_hex_text(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

bool same_event(const spec::ImageConfig::History& a, const spec::ImageConfig::History& b) {
  return a.created == b.created && a.created_by == b.created_by && a.author == b.author &&
         a.comment == b.comment && a.empty_layer == b.empty_layer;
}

[[noreturn]] void refuse_transport(std::string_view name) {
  throw Error(Kind::invalid_input,
              fmt::format("unsupported transport \"{}\" for looking up local images", name));
}

// "containers-storage:" may stand before a name, no other transport.
std::string_view without_transport(std::string_view name) {
  if (name.starts_with("containers-storage:")) return name.substr(name.find(':') + 1);
  for (const std::string_view transport :
       {"docker", "dir", "oci", "oci-archive", "docker-archive", "docker-daemon"}) {
    const bool has_path = transport == "docker" ? name.starts_with("docker://")
                                                : name.starts_with(transport) &&
                                                      name.substr(transport.size()).starts_with(":/");
    if (has_path) refuse_transport(transport);
  }
  return name;
}

}  // namespace

LocalImages::LocalImages(Context context, std::shared_ptr<store::Store> store,
                         const config::RegistriesConf& registries)
    : context_(std::move(context)),
      store_(std::move(store)),
      registries_(registries),
      images_(store_->images(context_)) {
  for (auto& layer : store_->layers(context_)) {
    std::string id = layer.id;
    layers_.emplace(std::move(id), std::move(layer));
  }
  for (std::size_t i = 0; i < images_.size(); ++i) by_layer_.emplace(images_[i].layer, i);
}

const ImageRecord* LocalImages::by_id(std::string_view id) const {
  const auto found =
      std::find_if(images_.begin(), images_.end(), [&](const ImageRecord& i) { return i.id == id; });
  return found == images_.end() ? nullptr : &*found;
}

const store::LayerRecord* LocalImages::layer(std::string_view id) const {
  const auto found = layers_.find(id);
  return found == layers_.end() ? nullptr : &found->second;
}

std::optional<LocalImages::Found> LocalImages::find_named(const spec::Reference& reference) const {
  const std::string text = reference.str();
  for (const ImageRecord& image : images_)
    if (std::find(image.names.begin(), image.names.end(), text) != image.names.end())
      return Found{&image, text};
  if (!reference.digest()) return std::nullopt;
  for (const ImageRecord& image : images_) {
    const auto digests = image.digests();
    if (std::find(digests.begin(), digests.end(), *reference.digest()) == digests.end()) continue;
    for (const std::string& name : image.names)
      if (split_name(name).repository == reference.name()) return Found{&image, ""};
  }
  return std::nullopt;
}

// "y:1" means "example.com/x/y:1" if there is only that.
std::optional<LocalImages::Found> LocalImages::find_by_ending(const spec::Reference& reference,
                                                              std::string_view typed) const {
  if (!is_short_name(typed) || !reference.tag()) return std::nullopt;
  const std::string path = typed.find('/') == std::string_view::npos
                               ? reference.path().substr(reference.path().rfind('/') + 1)
                               : reference.path();
  for (const ImageRecord& image : images_) {
    for (const std::string& name : image.names) {
      const NameParts parts = split_name(name);
      if (parts.tag == *reference.tag() && parts.repository.ends_with("/" + path)) return Found{&image, name};
    }
  }
  return std::nullopt;
}

std::optional<LocalImages::Found> LocalImages::find(std::string_view name) const {
  name = without_transport(name);
  std::string_view id = name;
  const bool by_digest = name.starts_with(digest_prefix);
  if (by_digest) id.remove_prefix(digest_prefix.size());
  if (by_digest || store::is_id(name)) {
    const ImageRecord* image = by_id(id);
    return image == nullptr ? std::nullopt : std::optional(Found{image, ""});
  }
  const auto parsed = in_context([&] { return fmt::format("parsing reference \"{}\"", name); },
                                 [&] { return spec::Reference::parse(name); });
  for (const spec::Reference& candidate : local_candidates(name, registries_))
    if (auto found = find_named(candidate)) return found;
  if (auto found = find_by_ending(parsed.with_default_tag(), name)) return found;
  if (!is_hex_text(name)) return std::nullopt;
  const ImageRecord* match = nullptr;
  for (const ImageRecord& image : images_) {
    if (!image.id.starts_with(name)) continue;
    if (match != nullptr) return std::nullopt;
    match = &image;
  }
  return match == nullptr ? std::nullopt : std::optional(Found{match, ""});
}

LocalImages::Found LocalImages::get(std::string_view name) const {
  if (auto found = find(name)) return *found;
  throw Error(Kind::image_not_found, fmt::format("{}: image not known", name));
}

std::optional<LocalImages::Found> LocalImages::find_image(std::string_view name) const {
  const auto found = find(name);
  if (!found || !is_list(*found->image)) return found;
  const auto raw = transport::make_raw_manifest(manifest(*found->image), "");
  try {
    const auto digest = spec::Index::parse(raw.bytes, raw.media_type).choose({}).digest;
    for (const ImageRecord& image : images_) {
      const auto digests = image.digests();
      if (std::find(digests.begin(), digests.end(), digest) != digests.end()) return Found{&image, ""};
    }
  } catch (const Error&) {
    // A list without an image for this machine stands for itself.
  }
  return found;
}

LocalImages::Found LocalImages::get_image(std::string_view name) const {
  if (auto found = find_image(name)) return *found;
  throw Error(Kind::image_not_found, fmt::format("{}: image not known", name));
}

std::string LocalImages::manifest(const ImageRecord& image) const {
  return store_->image_big_data(context_, image.id, std::string(manifest_item));
}

bool LocalImages::is_list(const ImageRecord& image) const {
  if (!image.big_data.has(manifest_item) || !image.layer.empty()) return false;
  const std::string type = transport::make_raw_manifest(manifest(image), "").media_type;
  return type == spec::media_type::oci_index || type == spec::media_type::docker_list;
}

const spec::ImageConfig* LocalImages::config(const ImageRecord& image) const {
  const auto known = configs_.find(image.id);
  if (known != configs_.end()) return known->second ? &*known->second : nullptr;
  auto& slot = configs_[image.id];
  try {
    std::string key = std::string(digest_prefix) + image.id;
    if (!image.big_data.has(key)) {
      const auto raw = transport::make_raw_manifest(manifest(image), "");
      key = spec::Manifest::parse(raw.bytes, raw.media_type).config().digest.str();
    }
    slot = spec::ImageConfig::parse(store_->image_big_data(context_, image.id, key));
  } catch (const Error& error) {
    context_.log.debug(fmt::format("image {}: {}", image.id, error.what()));
  }
  return slot ? &*slot : nullptr;
}

std::map<std::string, std::string> LocalImages::labels(const ImageRecord& image) const {
  const spec::ImageConfig* found = config(image);
  return found == nullptr ? std::map<std::string, std::string>()
                          : found->labels.value_or(std::map<std::string, std::string>());
}

std::uint64_t LocalImages::size(const ImageRecord& image) const {
  std::uint64_t sum = 0;
  const store::LayerRecord* at = layer(image.layer);
  for (std::size_t depth = 0; at != nullptr && depth < layers_.size(); ++depth, at = layer(at->parent))
    if (at->diff_size > 0) sum += static_cast<std::uint64_t>(at->diff_size);
  for (const auto& [name, bytes] : image.big_data.sizes)
    if (bytes > 0) sum += static_cast<std::uint64_t>(bytes);
  return sum;
}

std::vector<std::string> LocalImages::repo_digests(const ImageRecord& image) const {
  std::vector<std::string> result;
  for (const std::string& name : image.names) {
    const std::string repository = split_name(name).repository;
    if (!image.digest.empty()) result.push_back(repository + "@" + image.digest);
    for (const spec::Digest& digest : image.digests()) result.push_back(repository + "@" + digest.str());
  }
  std::sort(result.begin(), result.end());
  result.erase(std::unique(result.begin(), result.end()), result.end());
  return result;
}

bool LocalImages::is_read_only(const ImageRecord& image) const {
  return store_->is_read_only(context_, image);
}

std::vector<std::string> LocalImages::containers_of(const ImageRecord& image) const {
  if (!containers_) containers_ = store_->containers(context_);
  std::vector<std::string> result;
  for (const auto& container : *containers_)
    if (container.image == image.id) result.push_back(container.id);
  return result;
}

std::string LocalImages::parent_layer(const std::string& id) const {
  const store::LayerRecord* found = layer(id);
  return found == nullptr ? "" : found->parent;
}

bool LocalImages::is_built_on(const ImageRecord& child, const ImageRecord& parent) const {
  if (child.id == parent.id) return false;
  const spec::ImageConfig* below = config(parent);
  const spec::ImageConfig* above = config(child);
  if (below == nullptr || above == nullptr) return false;
  return below->history.size() + 1 == above->history.size() &&
         below->diff_ids.size() <= above->diff_ids.size() &&
         std::equal(below->diff_ids.begin(), below->diff_ids.end(), above->diff_ids.begin()) &&
         std::equal(below->history.begin(), below->history.end(), above->history.begin(), same_event);
}

const ImageRecord* LocalImages::parent(const ImageRecord& image) const {
  std::vector<std::string> tops = {image.layer};
  if (const std::string below = parent_layer(image.layer); !image.layer.empty()) tops.push_back(below);
  for (const std::string& top : tops) {
    const auto [first, last] = by_layer_.equal_range(top);
    for (auto at = first; at != last; ++at)
      if (is_built_on(image, images_[at->second])) return &images_[at->second];
  }
  return nullptr;
}

std::vector<const ImageRecord*> LocalImages::children(const ImageRecord& image) const {
  std::vector<const ImageRecord*> result;
  for (const ImageRecord& other : images_) {
    const bool near =
        other.layer == image.layer || (!other.layer.empty() && parent_layer(other.layer) == image.layer);
    if (near && is_built_on(other, image)) result.push_back(&other);
  }
  return result;
}

bool LocalImages::is_dangling(const ImageRecord& image) const {
  return image.names.empty() && children(image).empty() && !is_list(image);
}

bool LocalImages::is_intermediate(const ImageRecord& image) const {
  return image.names.empty() && !children(image).empty();
}

bool is_working_container(const store::Store& store, const std::string& id) {
  return std::filesystem::exists(store.container_directory(id) / buildah_state);
}

NameParts split_name(const std::string& name) {
  NameParts parts;
  const std::size_t at = std::min(name.find('@'), name.size());
  if (at < name.size()) parts.digest = name.substr(at + 1);
  const std::size_t slash = name.rfind('/', at);
  const std::size_t colon = name.find(':', slash == std::string::npos ? 0 : slash);
  const std::size_t end = std::min(colon, at);
  parts.repository = name.substr(0, end);
  if (end < at) parts.tag = name.substr(end + 1, at - end - 1);
  return parts;
}

}  // namespace lade::engine

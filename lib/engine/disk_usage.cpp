#include "engine/disk_usage.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <set>

namespace lade::engine {
namespace {

namespace fs = std::filesystem;

// The sum of the sizes of regular files, each inode once. What vanishes meanwhile does not count.
std::uint64_t tree_size(const fs::path& directory) {
  std::uint64_t sum = 0;
  std::set<std::pair<dev_t, ino_t>> seen;
  std::error_code error;
  const auto options = fs::directory_options::skip_permission_denied;
  for (fs::recursive_directory_iterator at(directory, options, error), end; !error && at != end;
       at.increment(error)) {
    struct ::stat status {};
    if (::lstat(at->path().c_str(), &status) != 0 || !S_ISREG(status.st_mode)) continue;
    if (seen.insert({status.st_dev, status.st_ino}).second) sum += static_cast<std::uint64_t>(status.st_size);
  }
  return sum;
}

std::uint64_t layer_size(const store::LayerRecord& layer) {
  return layer.diff_size > 0 ? static_cast<std::uint64_t>(layer.diff_size) : 0;
}

// Its top layer, copies of it for other users, and what is below; each once.
std::set<std::string> layers_of_image(const LocalImages& images, const store::ImageRecord& image) {
  std::set<std::string> result;
  std::vector<std::string> tops = image.mapped_layers;
  tops.push_back(image.layer);
  for (const std::string& top : tops) {
    const store::LayerRecord* layer = images.layer(top);
    while (layer != nullptr && result.insert(layer->id).second) layer = images.layer(layer->parent);
  }
  return result;
}

}  // namespace

ImagesUsage image_usage(const LocalImages& images) {
  std::map<std::string, std::size_t> users;
  for (const auto& image : images.all())
    for (const std::string& layer : layers_of_image(images, image)) ++users[layer];
  ImagesUsage result;
  for (const auto& layer : images.store().layers(images.context())) result.total += layer_size(layer);
  for (const auto& image : images.all()) {
    ImageUsage usage{.image = &image, .containers = images.containers_of(image).size()};
    for (const std::string& id : layers_of_image(images, image)) {
      const std::uint64_t size = layer_size(*images.layer(id));
      (users[id] > 1 ? usage.shared : usage.unique) += size;
    }
    for (const auto& [key, size] : image.big_data.sizes) {
      usage.unique += static_cast<std::uint64_t>(std::max<std::int64_t>(size, 0));
      result.total += static_cast<std::uint64_t>(std::max<std::int64_t>(size, 0));
    }
    result.images.push_back(usage);
  }
  return result;
}

std::vector<ContainerUsage> container_usage(const LocalImages& images) {
  const store::Store& store = images.store();
  const auto layout = store.layout();
  std::vector<ContainerUsage> result;
  for (auto& container : store.containers(images.context())) {
    ContainerUsage usage;
    if (layout.driver == "overlay") usage.size = tree_size(layout.home() / container.layer / "diff");
    usage.mounted = !container.layer.empty() && store.mount_state(images.context(), container.layer).count > 0;
    usage.container = std::move(container);
    result.push_back(std::move(usage));
  }
  return result;
}

std::vector<VolumeUsage> volume_usage(const std::filesystem::path& directory) {
  std::vector<VolumeUsage> result;
  std::error_code error;
  for (fs::directory_iterator at(directory, error), end; !error && at != end; at.increment(error)) {
    const fs::path data = at->path() / "_data";
    if (fs::is_directory(data, error)) result.push_back({at->path().filename().string(), tree_size(data)});
  }
  std::sort(result.begin(), result.end(),
            [](const VolumeUsage& a, const VolumeUsage& b) { return a.name < b.name; });
  return result;
}

}  // namespace lade::engine

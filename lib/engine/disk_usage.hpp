// How much of the disk images, containers and volumes take: what `system df` shows.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "engine/local_images.hpp"

namespace lade::engine {

struct ImageUsage {
  const store::ImageRecord* image = nullptr;
  std::uint64_t shared = 0;  // of layers that other images have too
  std::uint64_t unique = 0;  // of other layers, the config and manifests
  std::size_t containers = 0;
};

struct ImagesUsage {
  std::vector<ImageUsage> images;  // in the store's order
  std::uint64_t total = 0;         // each layer once
};
ImagesUsage image_usage(const LocalImages& images);

struct ContainerUsage {
  store::ContainerRecord container;
  std::uint64_t size = 0;  // of what was written to it; 0 with vfs, which does not keep it apart
  bool mounted = false;    // those that run are
};
std::vector<ContainerUsage> container_usage(const LocalImages& images);

struct VolumeUsage {
  std::string name;
  std::uint64_t size = 0;
};
// The volumes in a directory of podman's; none if there is none.
std::vector<VolumeUsage> volume_usage(const std::filesystem::path& directory);

}  // namespace lade::engine

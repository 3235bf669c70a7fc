// Mounts (mount(2)), of the mount namespace of this process.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "os/unique_fd.hpp"

namespace lade::os {

// Something is mounted right here.
bool is_mount_point(const std::filesystem::path& path);

// A directory mounted on itself and private, unless it is a mount point already: what is mounted below it
// later stays where it is seen.
void bind_on_itself(const std::filesystem::path& directory);

struct OverlayMount {
  // Topmost first. Without an upper directory there MUST be at least two.
  std::vector<std::filesystem::path> lowers;
  std::filesystem::path upper, work;  // "" for a read-only mount
  std::filesystem::path target;
  std::string options;  // comma-separated, as in mount(8): "nodev,metacopy=on"
};

// Any number of lower directories up to what the kernel takes (500); each path as long as paths can be. Names
// with
// ':', ',' or '\' are fine.
void mount_overlay(const OverlayMount& mount);

// Detached from the tree at once; gone when nobody uses it any more. No error if nothing is mounted there.
void unmount(const std::filesystem::path& path);

}  // namespace lade::os

// What differs between the file systems of two layers of the store.
#pragma once

#include <string>
#include <vector>

#include "engine/local_images.hpp"

namespace lade::engine {

struct FileChange {
  enum class Kind { changed, added, deleted };
  Kind kind;
  std::string path;  // "/etc/motd"
};

// From `below` (without it, the layer under it) to `layer`; IDs, "" for nothing. Sorted by path. Read
// from the layers' tars: metadata and sizes are compared, contents are not.
std::vector<FileChange> layer_changes(const LocalImages& images, const std::string& layer);
std::vector<FileChange> layer_changes(const LocalImages& images, const std::string& layer,
                                      const std::string& below);

}  // namespace lade::engine

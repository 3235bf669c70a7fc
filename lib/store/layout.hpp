// Where things are in a store.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace lade::store {

using Path = std::filesystem::path;

struct Layout {
  Path graph_root, run_root;
  Path image_root;  // graph_root, or the image store
  std::string driver;
  bool transient = false;  // records of containers are below run_root

  bool has_image_store() const { return image_root != graph_root; }

  // Layers: records, tar-split files, big data, temporary directories. Those of the image store hold records
  // only.
  Path layers() const { return graph_root / (driver + "-layers"); }
  Path image_store_layers() const { return image_root / (driver + "-layers"); }
  Path images() const { return image_root / (driver + "-images"); }
  Path containers() const { return graph_root / (driver + "-containers"); }
  // The driver's own directory, for containers' layers and for images'.
  Path home() const { return graph_root / driver; }
  Path image_home() const { return image_root / driver; }

  Path run_layers() const { return run_root / (driver + "-layers"); }
  Path run_containers() const { return run_root / (driver + "-containers"); }
  Path run_home() const { return run_root / driver; }

  Path volatile_layers_file() const { return (transient ? run_layers() : layers()) / "volatile-layers.json"; }
  Path containers_records() const { return transient ? run_containers() : containers(); }
  Path tar_split(std::string_view layer) const { return layers() / (std::string(layer) + ".tar-split.gz"); }
};

}  // namespace lade::store

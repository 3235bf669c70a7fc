// Where content goes in a container.
#pragma once

#include <string>

#include "build/source_items.hpp"
#include "layer/id_maps.hpp"
#include "os/root.hpp"

namespace lade::build {

struct DestinationRequest {
  std::string destination;  // as given
  std::string working_directory;
  std::size_t sources = 1;
  bool single_file = false;      // the only source is a file, or a download
  bool needs_directory = false;  // the only source is a directory or an archive
  bool is_new_root = false;      // nothing is there yet
};

struct DestinationPlace {
  std::string directory;  // below the root
  std::string name;       // of the only file; "": it keeps its own
};

// Kind::invalid_input `destination X already exists but is not a directory`.
DestinationPlace resolve_destination(const os::Root& root, const DestinationRequest& request);

// The directory, made with those that lead to it; links that are there are followed as if `root` were "/".
os::UniqueFd ensure_directory(const os::Root& root, const std::string& path, const Owner& owner);

// Who `owner` of a container that is shifted with `ids` is on disk; others than those in the maps stay.
Owner owner_on_disk(const layer::IdMaps& ids, const Owner& owner);

}  // namespace lade::build

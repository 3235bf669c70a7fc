// What real buildah's `run` left in a container and wants to see in no image: targets of mounts. It keeps
// lists of them in the container's directory. (lade removes its own.)
#pragma once

#include <filesystem>
#include <functional>

#include "archive/tar_header.hpp"

namespace lade::build {

// Whether an entry is one of these, unchanged since; null if there are none.
std::function<bool(const archive::TarHeader& entry)> read_excludes(
    const std::filesystem::path& container_directory);

}  // namespace lade::build

// --volume and --mount: what is mounted into a container while a command runs.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "spec/json.hpp"

namespace lade::build {

struct VolumeMount {
  enum class Type { bind, cache, tmpfs } type = Type::bind;
  std::string source, destination;   // of cache: source is a path in it
  std::vector<std::string> options;  // of the runtime: "rbind", "ro", "rprivate"
  bool overlay = false;              // writes do not reach the source
  std::string upper, work;           // of the overlay; "": thrown away afterwards
  bool chown = false;                // the source gets the owner that the command runs as
  bool relabel_shared = false, relabel_private = false;
  // --mount
  std::string from;                             // an image or container that the source is in
  std::string id;                               // of a cache
  std::uint32_t mode = 0755, uid = 0, gid = 0;  // of a new cache
  bool locked = false;                          // nobody else uses the cache meanwhile
};

// "source:destination[:options]", "\:" for a colon in a path. Kind::invalid_input
// `incorrect volume format "X", should be host-dir:ctr-dir[:option]`.
VolumeMount parse_volume(const std::string& text);

// "type=bind,source=...,target=..." Kind::invalid_input `filesystem type "x" ...` and so on.
VolumeMount parse_mount(const std::string& text, const std::filesystem::path& context_directory,
                        const std::string& working_directory);

// The directory of a cache mount, as buildah names it.
std::filesystem::path cache_directory(const VolumeMount& mount, const std::filesystem::path& temporary,
                                      unsigned user);

}  // namespace lade::build

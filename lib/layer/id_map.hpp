// Ranges of user and group IDs as seen inside a container and on disk.
#pragma once

#include <cstdint>
#include <vector>

namespace lade::layer {

struct IdMap {
  std::uint32_t container_id = 0, host_id = 0, size = 0;
  bool operator==(const IdMap&) const = default;
};

// Empty: identity.
struct IdMaps {
  std::vector<IdMap> uids, gids;
  bool operator==(const IdMaps&) const = default;
};

}  // namespace lade::layer

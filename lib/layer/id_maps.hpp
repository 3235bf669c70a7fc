// User and group IDs of a container and those on disk, as uidmap and gidmap of layers.json give them.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

namespace lade::layer {

// container_id + n is host_id + n, for n below size.
struct IdMap {
  std::uint32_t container_id = 0, host_id = 0, size = 0;
};

struct IdMaps {
  std::vector<IdMap> uids, gids;  // empty: identity
};

// nullopt if no range has the ID.
std::optional<std::uint32_t> to_host_id(const std::vector<IdMap>& maps, std::uint32_t container_id);
std::optional<std::uint32_t> to_container_id(const std::vector<IdMap>& maps, std::uint32_t host_id);

}  // namespace lade::layer

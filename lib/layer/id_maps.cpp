#include "layer/id_maps.hpp"

namespace lade::layer {

namespace {

// In 64 bits, so that no range wraps around.
std::optional<std::uint32_t> shifted(std::uint32_t id, std::uint32_t from, std::uint32_t to,
                                     std::uint32_t size) {
  if (id < from || id - from >= size) return std::nullopt;
  const std::uint64_t result = std::uint64_t{to} + (id - from);
  if (result > UINT32_MAX) return std::nullopt;
  return static_cast<std::uint32_t>(result);
}

}  // namespace

std::optional<std::uint32_t> to_host_id(const std::vector<IdMap>& maps, std::uint32_t container_id) {
  if (maps.empty()) return container_id;
  for (const IdMap& map : maps)
    if (const auto id = shifted(container_id, map.container_id, map.host_id, map.size)) return id;
  return std::nullopt;
}

std::optional<std::uint32_t> to_container_id(const std::vector<IdMap>& maps, std::uint32_t host_id) {
  if (maps.empty()) return host_id;
  for (const IdMap& map : maps)
    if (const auto id = shifted(host_id, map.host_id, map.container_id, map.size)) return id;
  return std::nullopt;
}

}  // namespace lade::layer

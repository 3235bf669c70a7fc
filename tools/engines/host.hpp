// What the grammars' info commands tell of the machine and the store.
#pragma once

#include <filesystem>

#include "engine/host_facts.hpp"
#include "engines/front.hpp"

namespace lade::engines {

// "overlay.mountopt" -> "nodev", and all image stores together as "overlay.additionalImageStores".
spec::Json graph_options(const config::StoreOptions& options);
// "Backing Filesystem" and so on, for the driver that is used.
spec::Json graph_status(const store::Layout& layout, const config::StoreOptions& options);
// Where podman keeps volumes: --volumepath, or beside the layers.
std::filesystem::path volume_path(EngineSession& session);

}  // namespace lade::engines

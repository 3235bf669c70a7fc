// Images in the local store that podman, buildah and CRI-O use (containers-storage:).
#pragma once

#include <string>
#include <vector>

#include "transport/transport.hpp"

namespace lade::transport {

const Transport& containers_storage_transport();

// The tags under which images of the reference's repository are in its store, sorted. Kind::invalid_input if
// the reference names no repository.
std::vector<std::string> containers_storage_tags(const Context& context, const ImageReference& reference,
                                                 const Options& options);

}  // namespace lade::transport

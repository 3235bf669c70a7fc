// docker-archive:PATH[:REFERENCE | :@INDEX] - what `docker save` writes and `docker load` reads.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/context.hpp"
#include "transport/options.hpp"
#include "transport/transport.hpp"

namespace lade::transport {

const Transport& docker_archive_transport();

// All tags in the archive that `reference` (of this transport) is in, as they stand there; "@<index>" for an
// image without tags.
std::vector<std::string> docker_archive_tags(const Context& context, const ImageReference& reference,
                                             const Options& options);

}  // namespace lade::transport

// Writing images into a daemon. Internal to docker_daemon/.
#pragma once

#include <memory>

#include "spec/reference.hpp"
#include "transport/options.hpp"
#include "transport/transport.hpp"

namespace lade::transport::docker_daemon {

// `reference` has a tag.
std::unique_ptr<ImageDestination> open_destination(const Context& context, const spec::Reference& reference,
                                                   const Options& options);

}  // namespace lade::transport::docker_daemon

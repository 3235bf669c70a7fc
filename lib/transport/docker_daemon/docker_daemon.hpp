// docker-daemon:NAME:TAG, docker-daemon:NAME@DIGEST, docker-daemon:sha256:ID - images that a docker daemon,
// or what speaks its API, keeps.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/context.hpp"
#include "transport/options.hpp"
#include "transport/transport.hpp"

namespace lade::transport {

const Transport& docker_daemon_transport();

// One image as the daemon lists it.
struct DaemonImage {
  spec::Digest id;                // of its config
  std::vector<std::string> tags;  // "busybox:latest", as the daemon shows them; without "<none>:<none>"
};

// All images but those that are only steps of a build.
std::vector<DaemonImage> list_daemon_images(const Context& context, const Options& options);
// What the reference names in the daemon now; nullopt if there is no such image.
std::optional<spec::Digest> find_daemon_image(const Context& context, const ImageReference& reference,
                                              const Options& options);

}  // namespace lade::transport

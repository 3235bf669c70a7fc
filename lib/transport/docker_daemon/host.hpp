// Where a docker daemon is and how it is spoken to. Internal to docker_daemon/.
#pragma once

#include <string>

#include "registry/http.hpp"
#include "transport/options.hpp"

namespace lade::transport::docker_daemon {

struct Host {
  std::string name;  // as it was given
  registry::Endpoint endpoint;
  registry::Url base;  // its target is the path before "/v1.41/...", "" at the end of it
};

// Kind::invalid_input "unable to parse docker host `x`", "could not read CA certificate ...",
// "Could not load X509 key pair: ..."; Kind::unsupported for other schemes (ssh://).
Host parse_host(const Options::DockerDaemon& options);

}  // namespace lade::transport::docker_daemon

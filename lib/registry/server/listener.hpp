// A listening TCP socket.
#pragma once

#include <string>

#include "os/unique_fd.hpp"

namespace lade::registry::server {

// host: a name or an address, without brackets; "" for all. Throws "listen tcp <host>:<port>: bind:
// <reason>".
os::UniqueFd listen_on(const std::string& host, int port);

// Of a bound socket.
int port_of(const os::UniqueFd& socket);

}  // namespace lade::registry::server

// From a host name to a connected TCP socket.
#pragma once

#include <netinet/in.h>

#include <chrono>
#include <map>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "base/sync.hpp"
#include "os/unique_fd.hpp"
#include "registry/wait.hpp"

namespace lade::registry {

struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t size = 0;

  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
};

// "1.2.3.4:80", "[::1]:80"; the path of a unix socket.
std::string address_text(const sockaddr* address, socklen_t size);

// Names to addresses. Answers are kept for a short time and equal questions asked once. Thread-safe.
class Resolver {
 public:
  // At least one, without a port, in the order of preference. Numbers and "localhost" are answered at once;
  // other names are looked up in a thread that is left behind when the deadline passes or stop is requested.
  // Kind::unavailable "lookup <host>: no such host".
  std::vector<SocketAddress> addresses(const std::string& host, Deadline deadline,
                                       const std::stop_token& stop);

 private:
  struct Lookup;
  Sync<std::map<std::string, std::shared_ptr<Lookup>>> lookups_;
};

// Connected, non-blocking, without Nagle's delay. Addresses of both families are raced (RFC 8305): the next
// one starts when the one before has failed or is 250 ms old. Kind::unavailable "dial tcp <address>: connect:
// connection refused", "dial tcp: lookup ...".
os::UniqueFd dial(Resolver& resolver, const std::string& host, int port, Deadline deadline,
                  const std::stop_token& stop);

// The same for a unix socket; "@name" is an abstract one. Kind::unavailable "dial unix <path>: connect: no
// such file or directory"; Kind::denied for one that this user may not open.
os::UniqueFd dial_unix(const std::string& path, Deadline deadline, const std::stop_token& stop);

}  // namespace lade::registry

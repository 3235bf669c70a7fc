#include "registry/server/listener.hpp"

#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cerrno>
#include <memory>

#include "base/error.hpp"

namespace lade::registry::server {

namespace {

using Addresses = std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)>;

std::string describe(const std::string& host, int port) {
  const bool v6 = host.find(':') != host.npos;
  return "listen tcp " + (v6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

Addresses resolve(const std::string& host, int port) {
  addrinfo hints{};
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const char* name = host.empty() ? "::" : host.c_str();  // takes IPv4, too
  const int code = ::getaddrinfo(name, std::to_string(port).c_str(), &hints, &found);
  if (code != 0) throw Error(Kind::system, describe(host, port) + ": " + ::gai_strerror(code));
  return {found, &::freeaddrinfo};
}

// 0 or an errno.
int bind_and_listen(const os::UniqueFd& socket, const addrinfo& address) {
  const int on = 1, off = 0;
  // Not SO_REUSEPORT, cpp-httplib's default: a second server would silently take half of the clients.
  ::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  if (address.ai_family == AF_INET6) ::setsockopt(socket.get(), IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
  if (::bind(socket.get(), address.ai_addr, address.ai_addrlen) != 0) return errno;
  return ::listen(socket.get(), SOMAXCONN) == 0 ? 0 : errno;
}

}  // namespace

os::UniqueFd listen_on(const std::string& host, int port) {
  const auto addresses = resolve(host, port);
  int failure = EADDRNOTAVAIL;
  for (const addrinfo* address = addresses.get(); address != nullptr; address = address->ai_next) {
    os::UniqueFd socket(::socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (!socket.is_open()) {
      failure = errno;
      continue;
    }
    failure = bind_and_listen(socket, *address);
    if (failure == 0) return socket;
  }
  // A machine without IPv6.
  if (host.empty()) return listen_on("0.0.0.0", port);
  throw Error(Kind::system, Error::from_errno(failure, describe(host, port) + ": bind").what());
}

int port_of(const os::UniqueFd& socket) {
  sockaddr_storage address{};
  socklen_t size = sizeof(address);
  if (::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&address), &size) != 0) {
    throw Error::from_errno(errno, "getsockname");
  }
  return ntohs(address.ss_family == AF_INET6 ? reinterpret_cast<const sockaddr_in6&>(address).sin6_port
                                             : reinterpret_cast<const sockaddr_in&>(address).sin_port);
}

}  // namespace lade::registry::server

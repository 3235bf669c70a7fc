// A TCP client for what no HTTP library would send.
#pragma once

#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <string>

#include "os/unique_fd.hpp"

namespace lade::test {

// A connection that sends and receives exactly what it is told.
class RawClient {
 public:
  explicit RawClient(int port) : fd_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const timeval timeout{10, 0};
    ::setsockopt(fd_.get(), SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
    REQUIRE(::connect(fd_.get(), reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0);
  }

  bool send(const std::string& text) {
    return ::send(fd_.get(), text.data(), text.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(text.size());
  }

  // Until the text ends with `end`; "" waits for the server to close.
  std::string receive(const std::string& end = "") {
    std::string text;
    char buffer[4096];
    while (end.empty() || !text.ends_with(end)) {
      const ssize_t count = ::recv(fd_.get(), buffer, sizeof(buffer), 0);
      if (count <= 0) return text + (count < 0 ? "<error>" : "");
      text.append(buffer, static_cast<std::size_t>(count));
    }
    return text;
  }

  std::string ask(const std::string& request, const std::string& end = "") {
    send(request);
    return receive(end);
  }

 private:
  os::UniqueFd fd_;
};

}  // namespace lade::test

// Which proxy a request goes through, by the rules of Go's net/http (HTTP_PROXY, HTTPS_PROXY, NO_PROXY).
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "registry/http.hpp"

namespace lade::registry {

struct Proxy {
  std::string host;
  int port = 0;
  bool tls = false;           // an https:// proxy
  std::string authorization;  // value of Proxy-Authorization; "" if the URL has no user
};

// nullopt: go there directly. Kind::invalid_input for a malformed proxy, Kind::unsupported for one that is
// neither http:// nor https:// (socks5://).
std::optional<Proxy> proxy_for(const Url& url, const PoolOptions& options);

// True if `no_proxy`, or its being a loopback address, exempts the host.
bool bypasses_proxy(const std::string& host, int port, std::string_view no_proxy);

}  // namespace lade::registry

// Makes connections: name, proxy, TLS; and keeps the idle ones.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/context.hpp"
#include "base/sync.hpp"
#include "registry/connection.hpp"
#include "registry/dial.hpp"
#include "registry/http.hpp"
#include "registry/proxy.hpp"
#include "registry/tls.hpp"

namespace lade::registry {

// Thread-safe.
class Connector {
 public:
  explicit Connector(const PoolOptions& options) : options_(options) {}

  // A connection for requests to url's origin; a plain http URL with a proxy gives one to the proxy. The
  // whole of it takes at most PoolOptions::connect_timeout.
  std::unique_ptr<Connection> connect(const Url& url, const Endpoint& endpoint,
                                      const std::optional<Proxy>& proxy, const std::stop_token& stop);

 private:
  std::unique_ptr<Channel> reach(const Url& url, const std::string& unix_socket,
                                 const std::optional<Proxy>& proxy, Deadline deadline,
                                 const std::stop_token& stop);
  std::unique_ptr<Channel> tunnel(std::unique_ptr<Channel> channel, const Url& url, const Proxy& proxy,
                                  const std::stop_token& stop);
  std::shared_ptr<TlsContext> tls_context(const Endpoint& endpoint);

  PoolOptions options_;
  Resolver resolver_;
  Sync<std::vector<std::pair<Endpoint, std::shared_ptr<TlsContext>>>> tls_contexts_;
};

// Connections between two requests, by a key of what they lead to. Thread-safe.
class IdleConnections {
 public:
  // The one used last, if there is one that is young and that the peer has not closed.
  std::unique_ptr<Connection> take(const std::string& key);
  void put(const std::string& key, std::unique_ptr<Connection> connection);

 private:
  struct Idle {
    std::unique_ptr<Connection> connection;
    Deadline expires;
  };
  Sync<std::map<std::string, std::vector<Idle>>> idle_;
};

}  // namespace lade::registry

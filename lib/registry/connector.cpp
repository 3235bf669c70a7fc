#include "registry/connector.hpp"

#include <algorithm>

#include "registry/exchange.hpp"

namespace lade::registry {

namespace {

// Shorter than the keep-alive times of the common servers and load balancers.
constexpr std::chrono::seconds idle_lifetime{45};
constexpr std::size_t max_idle_per_key = 16;

std::string host_and_port(const Url& url) {
  const std::string name = url.host.find(':') == std::string::npos ? url.host : "[" + url.host + "]";
  return name + ":" + std::to_string(url.port);
}

}  // namespace

std::unique_ptr<Connection> Connector::connect(const Url& url, const Endpoint& endpoint,
                                               const std::optional<Proxy>& proxy,
                                               const std::stop_token& stop) {
  const Deadline deadline = std::chrono::steady_clock::now() + options_.connect_timeout;
  std::unique_ptr<Channel> channel = reach(url, endpoint.unix_socket, proxy, deadline, stop);
  if (url.scheme == "https") {
    channel = tls_context(endpoint)->connect(std::move(channel), url.host, url.port, deadline, stop);
  }
  return std::make_unique<Connection>(std::move(channel), options_.read_timeout);
}

std::unique_ptr<Channel> Connector::reach(const Url& url, const std::string& unix_socket,
                                          const std::optional<Proxy>& proxy, Deadline deadline,
                                          const std::stop_token& stop) {
  if (!unix_socket.empty()) return make_plain_channel(dial_unix(unix_socket, deadline, stop));
  if (!proxy) return make_plain_channel(dial(resolver_, url.host, url.port, deadline, stop));
  return in_context("proxyconnect tcp", [&] {
    auto channel = make_plain_channel(dial(resolver_, proxy->host, proxy->port, deadline, stop));
    if (proxy->tls) {
      channel = tls_context({})->connect(std::move(channel), proxy->host, proxy->port, deadline, stop);
    }
    return url.scheme == "https" ? tunnel(std::move(channel), url, *proxy, stop) : std::move(channel);
  });
}

// Only the proxy's own authorization goes to the proxy, and it goes nowhere else.
std::unique_ptr<Channel> Connector::tunnel(std::unique_ptr<Channel> channel, const Url& url,
                                           const Proxy& proxy, const std::stop_token& stop) {
  Connection connection(std::move(channel), options_.connect_timeout);
  connection.serve(stop, "i/o timeout");
  const std::string target = host_and_port(url);
  Headers headers{{"Host", target}, {"User-Agent", options_.user_agent}};
  if (!proxy.authorization.empty()) headers.emplace_back("Proxy-Authorization", proxy.authorization);
  const Answer answer = exchange(connection, format_request_head("CONNECT", target, headers, {}), {});
  if (answer.head.status / 100 != 2) {
    const Kind kind =
        answer.head.status == 403 || answer.head.status == 407 ? Kind::denied : Kind::unavailable;
    throw Error(kind, "CONNECT " + target + ": " + status_text(answer.head));
  }
  if (!connection.ahead().empty())
    throw Error(Kind::invalid_input, "proxy sent data before the tunnel was used");
  return connection.release();
}

std::shared_ptr<TlsContext> Connector::tls_context(const Endpoint& endpoint) {
  auto contexts = tls_contexts_.lock();
  const auto found = std::find_if(contexts->begin(), contexts->end(),
                                  [&](const auto& entry) { return entry.first == endpoint; });
  if (found != contexts->end()) return found->second;
  const SystemAuthorities system{.file = options_.ssl_cert_file, .dirs = options_.ssl_cert_dir};
  return contexts->emplace_back(endpoint, std::make_shared<TlsContext>(endpoint, system, options_.tls_details.get())).second;
}

std::unique_ptr<Connection> IdleConnections::take(const std::string& key) {
  while (true) {
    std::unique_ptr<Connection> connection;
    {
      auto idle = idle_.lock();
      std::vector<Idle>& list = (*idle)[key];
      std::erase_if(list, [](const Idle& one) { return one.expires < std::chrono::steady_clock::now(); });
      if (list.empty()) return nullptr;
      connection = std::move(list.back().connection);
      list.pop_back();
    }
    if (connection->is_idle()) return connection;
  }
}

void IdleConnections::put(const std::string& key, std::unique_ptr<Connection> connection) {
  auto idle = idle_.lock();
  std::vector<Idle>& list = (*idle)[key];
  list.push_back({std::move(connection), std::chrono::steady_clock::now() + idle_lifetime});
  if (list.size() > max_idle_per_key) list.erase(list.begin());
}

}  // namespace lade::registry

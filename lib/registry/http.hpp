// HTTP/1.1 over our own connections: cpp-httplib frames heads and request bodies, we own the sockets, TLS,
// pooling, and response bodies (pulled straight from the socket into the caller's buffer).
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/context.hpp"
#include "io/stream.hpp"

namespace lade::config {
struct TlsDetails;
}

namespace lade::registry {

struct Url {
  std::string scheme;  // "http" or "https"
  std::string host;    // without brackets for IPv6
  int port = 0;        // always set
  std::string target;  // path and query exactly as given, "/..." ; never decoded

  // Kind::invalid_input. Refuses userinfo, control characters, fragments are dropped.
  static Url parse(std::string_view text);
  // RFC 3986 section 5 for Location values: absolute, scheme-relative, absolute-path or relative.
  Url resolve(std::string_view location) const;
  std::string authority() const;  // "host" or "host:port", brackets for IPv6, default port left out
  std::string str() const;
  bool same_origin(const Url& other) const;
};

using Headers = std::vector<std::pair<std::string, std::string>>;

// How one host is spoken to. Part of the pool's key.
struct Endpoint {
  bool tls_verify = true;
  std::string ca_dir_certs;  // path of a directory whose *.crt are added to the system's CAs; "" if none
  std::string client_cert;   // path of X.cert; "" if none
  std::string client_key;    // path of X.key
  std::string ca_file = {};  // path of a PEM file that is added to the system's CAs; "" if none
  // Connect to this socket ("@name": an abstract one), whatever the URL's host; "" if none.
  std::string unix_socket = {};
  bool operator==(const Endpoint&) const = default;
};

struct HttpRequest {
  std::string method;  // "GET", "HEAD", "POST", "PATCH", "PUT", "DELETE"
  Url url;
  Headers headers;  // values with CR, LF or NUL are refused
  // Body: at most one of the two. A `body` reader without size is sent chunked. It is read once.
  std::string text;
  io::Reader* body = nullptr;
  std::optional<std::uint64_t> body_size;

  int max_redirects = 0;  // > 0 only for GET and HEAD; 10 for blobs
};

// The head of a response and its body as a stream. Destroying it with the body unread closes the connection;
// reading to the end returns the connection to the pool.
class HttpResponse {
 public:
  virtual ~HttpResponse() = default;
  virtual int status() const = 0;
  // Byte-exact, first match, name compared without case; "" if absent.
  virtual std::string_view header(std::string_view name) const = 0;
  virtual std::vector<std::string_view> header_values(std::string_view name) const = 0;
  virtual std::optional<std::uint64_t> content_length() const = 0;
  // After redirects: where the response came from.
  virtual const Url& url() const = 0;
  // A connection cut inside the body throws Kind::unavailable ("unexpected EOF").
  virtual io::Reader& body() = 0;
};

struct PoolOptions {
  std::chrono::milliseconds connect_timeout{30'000};
  std::chrono::milliseconds read_timeout{120'000};
  std::string user_agent = "lade";
  // Values of HTTP_PROXY, HTTPS_PROXY, NO_PROXY (Go's rules; loopback is never proxied).
  std::string http_proxy, https_proxy, no_proxy;
  // Values of SSL_CERT_FILE and SSL_CERT_DIR (colon-separated): they replace the system's CAs.
  std::string ssl_cert_file, ssl_cert_dir;
  // --tls-details; nullptr: none.
  std::shared_ptr<const config::TlsDetails> tls_details;
};

// Thread-safe; shared by the whole program. Idle connections are kept per (scheme, host, port, proxy,
// Endpoint); TLS contexts are made on first use and shared per Endpoint, sessions resumed.
class HttpPool {
 public:
  virtual ~HttpPool() = default;

  // Sends and returns as soon as the response's head is in. Authorization and Cookie headers follow a
  // redirect to the same scheme, host and port only; https never redirects to http. A request on a reused
  // connection that died before the first response byte is sent again on a fresh one if its body can be (no
  // body, or `text`). An error reply during an upload becomes a normal response. Stopping
  // the context wakes a blocked call within 100 ms: Cancelled. What `body` throws passes through.
  //
  // Errors, with the context `Get "<url>"` (a redirect's target without its query) and in Go's words where
  // scripts match them:
  // - Kind::unavailable: refused, reset, timed out, name not resolved ("dial tcp <addr>: connect: connection
  //   refused", "dial tcp: lookup <host>: no such host", "EOF", "context deadline exceeded (...)")
  // - Kind::denied: "tls: failed to verify certificate: x509: ..."; a redirect from https to http
  // - Kind::unsupported: no TLS or no version in common ("http: server gave HTTP response to HTTPS client",
  //   "remote error: tls: handshake failure")
  // - Kind::invalid_input: no HTTP/1.x, limits exceeded, too many redirects, headers that cannot be sent
  // - Kind::integrity: `body` is not as long as `body_size`
  virtual std::unique_ptr<HttpResponse> send(const Context& context, const Endpoint& endpoint,
                                             HttpRequest request) = 0;

  // A value that lives as long as the pool (tokens, ping results), by key. Made by `make` on first use, which
  // runs under the pool's lock: keep it cheap, and do not call the pool from it. Every caller of a key gets
  // the same object and must use the same type; the object guards its own contents (for example a Sync<T>).
  virtual std::shared_ptr<void> slot(const std::string& key,
                                     const std::function<std::shared_ptr<void>()>& make) = 0;
  template <class T>
  std::shared_ptr<T> slot(const std::string& key) {
    return std::static_pointer_cast<T>(slot(key, [] { return std::make_shared<T>(); }));
  }
};

std::shared_ptr<HttpPool> make_http_pool(const PoolOptions& options);

}  // namespace lade::registry

// A small HTTP/1.1 server on loopback for tests: it answers from a script, byte by byte if wanted, and
// records what it was asked. Depends on sockets and OpenSSL only, on nothing of the library.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "support/certificates.hpp"

namespace lade::test {

using HeaderList = std::vector<std::pair<std::string, std::string>>;

struct RecordedRequest {
  std::string method, target;
  HeaderList headers;
  std::string body;         // without chunked framing; "" for a reply that was sent before the body was read
  unsigned connection = 0;  // 0 for the first accepted connection, 1 for the second ...

  std::string header(std::string_view name) const;  // first match without case; "" if absent
  bool has_header(std::string_view name) const;
  std::string path() const;  // target without the query
};

// Opened by the test; replies wait for it. Closing the server opens it for good.
class Gate {
 public:
  void open();
  void wait();  // returns once open

 private:
  std::mutex mutex_;
  std::condition_variable opened_;
  bool open_ = false;
};

struct Reply {
  std::string bytes;      // exactly what is sent, status line and all
  bool close = false;     // end the connection after it
  bool reset = false;     // end it with RST instead
  bool read_body = true;  // false: answer as soon as the head of the request is in, and leave the body unread
  std::optional<std::size_t> cut_at;  // send only so many bytes, then close
  std::shared_ptr<Gate> before;       // waits before sending
  std::shared_ptr<Gate> at_gap;       // with gap: sends bytes[0, gap), waits, then sends the rest
  std::size_t gap = 0;
};

// "HTTP/1.1 <status> <reason>", headers, Content-Length (unless a Content-Length or Transfer-Encoding is
// given), body.
Reply reply(int status, HeaderList headers = {}, std::string body = {});
Reply raw_reply(std::string bytes, bool close = true);

// One accepted connection, for tests that need to act below HTTP.
class ServerConnection {
 public:
  virtual ~ServerConnection() = default;
  virtual unsigned number() const = 0;
  virtual void start_tls(const Certificate& certificate) = 0;
  virtual bool tls_resumed() const = 0;  // the client came back with a session
  // What one read gives, at most `limit` bytes; "" at the end.
  virtual std::string read_some(std::size_t limit = 65536) = 0;
  // Up to and including the empty line; "" if the client closed before.
  virtual std::string read_head() = 0;
  virtual std::string read_exactly(std::size_t size) = 0;  // shorter only if the client closed
  virtual bool send(std::string_view bytes) = 0;           // false: the client is gone
  virtual void close() = 0;                                // FIN (and close_notify)
  virtual void reset() = 0;                                // RST
  // Blocks until the client closes or resets; drops what it sends.
  virtual void wait_for_close() = 0;
};

struct ServerOptions {
  std::optional<Certificate> tls;
  std::string client_ca_pem;          // not empty: a client certificate of this CA is required
  std::string address = "127.0.0.1";  // or "::1", or the path of a unix socket to be made
  int max_tls_version = 0;            // for example TLS1_1_VERSION; 0: no limit
};

// Runs one function for each accepted connection, each in a thread.
class RawServer {
 public:
  using Session = std::function<void(ServerConnection&)>;
  explicit RawServer(Session session, ServerOptions options = {});
  ~RawServer();  // closes every connection and joins every thread
  RawServer(const RawServer&) = delete;
  RawServer& operator=(const RawServer&) = delete;

  int port() const;
  std::string host() const;                              // "127.0.0.1:PORT" or "[::1]:PORT"
  std::string url(std::string_view target = "/") const;  // http:// or https:// by ServerOptions::tls
  unsigned connections() const;                          // accepted so far

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// Answers from a script. Rules are tried in order of their making; a request that no rule matches gets a 404
// "unscripted: METHOD TARGET" and is listed in unmatched(). Thread-safe.
class ScriptedServer {
 public:
  using Handler = std::function<Reply(const RecordedRequest&)>;

  explicit ScriptedServer(ServerOptions options = {});
  ~ScriptedServer();

  // `target` matches exactly, or, when it has no '?', the path of any query. "*" as method or target: any.
  // The replies are used one after the other; the last one stays for all further requests.
  void on(std::string method, std::string target, std::vector<Reply> replies);
  void on(std::string method, std::string target, Reply reply);
  void on(std::string method, std::string target, Handler handler);

  std::vector<RecordedRequest> requests() const;
  std::vector<RecordedRequest> requests(std::string_view method, std::string_view path) const;
  std::vector<std::string> unmatched() const;

  int port() const;
  std::string host() const;
  std::string url(std::string_view target = "/") const;
  unsigned connections() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace lade::test

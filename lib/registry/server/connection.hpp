// One connection of a client, as the Stream that cpp-httplib's server reads requests from and writes
// responses to.
//
// httplib gets the request line and the plain bytes of the body. The headers are read, checked and kept here,
// and chunks are taken apart here, because httplib decodes percent signs in header values, answers a bad
// Range itself, has no limit on the number of headers, takes a malformed chunk for the end of the body, and
// what a refused upload still sends for the next request.
#pragma once

#include <httplib.h>
#include <openssl/ssl.h>

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "os/unique_fd.hpp"

namespace lade::registry::server {

struct FreeSsl {
  void operator()(SSL* ssl) const { SSL_free(ssl); }
};
using SslPtr = std::unique_ptr<SSL, FreeSsl>;

class Connection final : public httplib::Stream {
 public:
  struct Limits {
    std::size_t head_size = 32 * 1024;
    std::size_t header_count = 100;
    std::chrono::milliseconds idle{60'000};   // between requests, and for each read and write
    std::chrono::milliseconds head{30'000};   // from the first byte of a head to its last
    std::chrono::milliseconds linger{2'000};  // for a client that still sends what nobody wants
  };

  // ssl: null for a plain connection; otherwise its handshake is still to be made.
  Connection(os::UniqueFd socket, SslPtr ssl, const Limits& limits);

  // Waits for the head of a request. False when the client is gone or idle too long, and after a head that
  // had to be refused.
  bool next_request();
  // Of the request, byte for byte; except that "Connection: close" and "Expect: 100-continue" are in the case
  // that httplib looks for, and the Transfer-Encoding of a body, which is taken off, is "decoded".
  const httplib::Headers& headers() const { return headers_; }
  // Whether the response left the connection fit for another request.
  bool reusable() const;
  // Says goodbye in a way that lets the client read the last response.
  void close();
  // From another thread: wakes whatever is blocked here.
  void shut_down() const;

  bool is_readable() const override { return true; }
  bool is_writable() const override { return true; }
  ssize_t read(char* data, size_t size) override;
  ssize_t write(const char* data, size_t size) override;
  void get_remote_ip_and_port(std::string& ip, int& port) const override;
  void get_local_ip_and_port(std::string& ip, int& port) const override;
  socket_t socket() const override { return socket_.get(); }

 private:
  using Time = std::chrono::steady_clock::time_point;

  bool handshake();
  bool wait_readable(std::chrono::milliseconds timeout) const;
  ssize_t receive(char* data, std::size_t size);
  bool fill(Time deadline);
  std::optional<std::string> read_head();
  bool parse_head(const std::string& head);
  bool parse_headers(std::string_view text);
  bool parse_body_length();
  void normalize_headers(bool old_version);
  std::string_view header(const char* name) const;
  std::optional<std::string> read_line(std::size_t limit, Time deadline);
  bool next_chunk();
  bool refuse(int status, const char* reason);

  os::UniqueFd socket_;
  SslPtr ssl_;
  Limits limits_;
  bool greeted_ = false;

  std::vector<char> buffer_;  // received and not yet read, in [begin_, end_)
  std::size_t begin_ = 0, end_ = 0;

  // The request.
  std::string head_;  // what httplib is given
  std::size_t head_position_ = 0;
  httplib::Headers headers_;
  bool chunked_ = false;
  bool body_complete_ = true;
  std::uint64_t body_left_ = 0;  // of the body, or of this chunk
  bool first_chunk_ = true;

  bool response_begun_ = false;
  bool closing_ = false;
};

}  // namespace lade::registry::server

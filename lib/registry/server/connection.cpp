#include "registry/server/connection.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <utility>

#include "registry/server/api_error.hpp"
#include "registry/text.hpp"

namespace lade::registry::server {

namespace {

constexpr std::size_t buffer_size = 128 * 1024;

using std::chrono::milliseconds;

void set_timeout(int fd, int option, milliseconds timeout) {
  const timeval value{timeout.count() / 1000, timeout.count() % 1000 * 1000};
  ::setsockopt(fd, SOL_SOCKET, option, &value, sizeof(value));
}

void describe(const sockaddr_storage& address, std::string& ip, int& port) {
  char text[INET6_ADDRSTRLEN] = "";
  if (address.ss_family == AF_INET) {
    const auto& v4 = reinterpret_cast<const sockaddr_in&>(address);
    ::inet_ntop(AF_INET, &v4.sin_addr, text, sizeof(text));
    port = ntohs(v4.sin_port);
  } else if (address.ss_family == AF_INET6) {
    const auto& v6 = reinterpret_cast<const sockaddr_in6&>(address);
    ::inet_ntop(AF_INET6, &v6.sin6_addr, text, sizeof(text));
    port = ntohs(v6.sin6_port);
  }
  ip = text;
}

bool is_token(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) || std::strchr("!#$%&'*+-.^_`|~", c) != nullptr;
  });
}

bool has_control_character(std::string_view text) {
  return std::any_of(text.begin(), text.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return (byte < 0x20 && byte != '\t') || byte == 0x7f;
  });
}

}  // namespace

Connection::Connection(os::UniqueFd socket, SslPtr ssl, const Limits& limits)
    : socket_(std::move(socket)), ssl_(std::move(ssl)), limits_(limits) {
  const int on = 1;
  ::setsockopt(socket_.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  set_timeout(socket_.get(), SO_RCVTIMEO, limits_.idle);
  set_timeout(socket_.get(), SO_SNDTIMEO, limits_.idle);
}

bool Connection::handshake() {
  if (!ssl_ || greeted_) return true;
  set_timeout(socket_.get(), SO_RCVTIMEO, limits_.head);
  greeted_ = SSL_set_fd(ssl_.get(), socket_.get()) == 1 && SSL_accept(ssl_.get()) == 1;
  set_timeout(socket_.get(), SO_RCVTIMEO, limits_.idle);
  return greeted_;
}

bool Connection::next_request() {
  if (!handshake()) return false;
  response_begun_ = false;
  const auto head = read_head();
  return head && parse_head(*head);
}

bool Connection::wait_readable(milliseconds timeout) const {
  if (ssl_ && SSL_pending(ssl_.get()) > 0) return true;
  pollfd entry{socket_.get(), POLLIN, 0};
  const int ready = ::poll(&entry, 1, static_cast<int>(std::max<milliseconds::rep>(timeout.count(), 0)));
  return ready > 0;
}

ssize_t Connection::receive(char* data, std::size_t size) {
  if (ssl_) return SSL_read(ssl_.get(), data, static_cast<int>(size));
  for (;;) {
    const ssize_t count = ::recv(socket_.get(), data, size, 0);
    if (count >= 0 || errno != EINTR) return count;
  }
}

// Adds received bytes to the buffer, behind what is there; false at the end, on an error and after deadline.
bool Connection::fill(Time deadline) {
  if (buffer_.empty()) buffer_.resize(buffer_size);
  if (begin_ == end_) begin_ = end_ = 0;
  if (end_ == buffer_.size()) {
    std::copy(buffer_.begin() + static_cast<std::ptrdiff_t>(begin_), buffer_.end(), buffer_.begin());
    end_ -= begin_;
    begin_ = 0;
  }
  const auto left = std::chrono::duration_cast<milliseconds>(deadline - std::chrono::steady_clock::now());
  if (end_ == buffer_.size() || !wait_readable(left)) return false;
  const ssize_t count = receive(buffer_.data() + end_, buffer_.size() - end_);
  if (count <= 0) return false;
  end_ += static_cast<std::size_t>(count);
  return true;
}

// Without its empty line at the end. An empty line before the request line is skipped (RFC 9112 section 2.2).
std::optional<std::string> Connection::read_head() {
  if (begin_ == end_ && !fill(std::chrono::steady_clock::now() + limits_.idle)) return std::nullopt;
  const Time deadline = std::chrono::steady_clock::now() + limits_.head;
  for (;;) {
    const std::string_view received(buffer_.data() + begin_, end_ - begin_);
    if (received.starts_with("\r\n")) {
      begin_ += 2;
      continue;
    }
    // A client that tries TLS waits for our answer, as we would for the end of its head.
    if (!received.empty() && !std::isalpha(static_cast<unsigned char>(received.front()))) {
      refuse(400, "Bad Request");
      return std::nullopt;
    }
    const auto end = received.find("\r\n\r\n");
    if (end != received.npos && end <= limits_.head_size) {
      std::string head(received.substr(0, end + 2));
      begin_ += end + 4;
      return head;
    }
    if (received.size() > limits_.head_size) {
      refuse(431, "Request Header Fields Too Large");
      return std::nullopt;
    }
    if (!fill(deadline)) return std::nullopt;
  }
}

bool Connection::parse_head(const std::string& head) {
  const auto line_end = head.find("\r\n");
  const std::string line = head.substr(0, line_end);
  head_ = line + "\r\n\r\n";
  head_position_ = 0;
  if (!parse_headers(std::string_view(head).substr(line_end + 2))) return false;
  if (has_control_character(line) || !parse_body_length()) return refuse(400, "Bad Request");
  normalize_headers(line.ends_with(" HTTP/1.0"));
  return true;
}

bool Connection::parse_headers(std::string_view text) {
  headers_.clear();
  while (!text.empty()) {
    const auto end = text.find("\r\n");
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(end + 2);
    const auto colon = line.find(':');
    if (colon == line.npos || !is_token(line.substr(0, colon)) || has_control_character(line)) {
      return refuse(400, "Bad Request");
    }
    headers_.emplace(std::string(line.substr(0, colon)), std::string(trim(line.substr(colon + 1))));
    if (headers_.size() > limits_.header_count) return refuse(431, "Request Header Fields Too Large");
  }
  return true;
}

std::string_view Connection::header(const char* name) const {
  const auto found = headers_.find(name);
  return found == headers_.end() ? std::string_view() : std::string_view(found->second);
}

// RFC 9112 section 6.3, without its leniency: two lengths are an attack or a mistake.
bool Connection::parse_body_length() {
  const auto lengths = headers_.count("Content-Length"), codings = headers_.count("Transfer-Encoding");
  if (lengths + codings > 1) return false;
  chunked_ = codings == 1;
  first_chunk_ = true;
  body_left_ = 0;
  if (lengths == 1) {
    const auto length = parse_number(header("Content-Length"));
    if (!length) return false;
    body_left_ = *length;
  }
  body_complete_ = !chunked_ && body_left_ == 0;
  return !chunked_ || equals_ignoring_case(header("Transfer-Encoding"), "chunked");
}

void Connection::normalize_headers(bool old_version) {
  closing_ = equals_ignoring_case(header("Connection"), "close") ||
             (old_version && !equals_ignoring_case(header("Connection"), "keep-alive"));
  const auto replace = [&](const char* name, const char* value) {
    headers_.erase(name);
    headers_.emplace(name, value);
  };
  if (closing_) replace("Connection", "close");
  if (chunked_) replace("Transfer-Encoding", "decoded");
  if (equals_ignoring_case(header("Expect"), "100-continue")) replace("Expect", "100-continue");
}

bool Connection::refuse(int status, const char* reason) {
  const std::string body = error_document("UNSUPPORTED", reason);
  const std::string text = "HTTP/1.1 " + std::to_string(status) + " " + reason +
                           "\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: " +
                           std::to_string(body.size()) + "\r\n\r\n" + body;
  write(text.data(), text.size());
  closing_ = true;
  return false;
}

bool Connection::reusable() const {
  return !closing_ && head_position_ == head_.size() && body_complete_;
}

void Connection::close() {
  if (ssl_ && greeted_) SSL_shutdown(ssl_.get());
  ::shutdown(socket_.get(), SHUT_WR);
  // Closing with unread bytes would reset the connection, and the client would lose the response.
  const Time deadline = std::chrono::steady_clock::now() + limits_.linger;
  do {
    begin_ = end_ = 0;
  } while (std::chrono::steady_clock::now() < deadline && fill(deadline));
}

void Connection::shut_down() const {
  ::shutdown(socket_.get(), SHUT_RDWR);
}

// Without its CRLF; nullopt if it is longer than limit or does not come.
std::optional<std::string> Connection::read_line(std::size_t limit, Time deadline) {
  for (;;) {
    const std::string_view received(buffer_.data() + begin_, end_ - begin_);
    const auto end = received.substr(0, limit + 2).find("\r\n");
    if (end != received.npos) {
      std::string line(received.substr(0, end));
      begin_ += end + 2;
      return line;
    }
    if (received.size() > limit || !fill(deadline)) return std::nullopt;
  }
}

// Up to the data of the next chunk, or behind the last one and its trailers (RFC 9112 section 7.1).
bool Connection::next_chunk() {
  constexpr std::size_t max_line = 1024;
  constexpr int max_trailers = 20;
  const Time deadline = std::chrono::steady_clock::now() + limits_.head;
  if (!std::exchange(first_chunk_, false) && read_line(0, deadline) != "") return false;
  const auto line = read_line(max_line, deadline);
  if (!line) return false;
  const char* end = line->data() + line->size();
  const auto [rest, failure] = std::from_chars(line->data(), end, body_left_, 16);
  const bool extended = rest != end && (*rest == ';' || *rest == ' ' || *rest == '\t');
  if (failure != std::errc() || (rest != end && !extended)) return false;
  if (body_left_ != 0) return true;
  for (int i = 0; i < max_trailers; ++i) {
    const auto trailer = read_line(max_line, deadline);
    if (!trailer) return false;
    body_complete_ = trailer->empty();
    if (body_complete_) return true;
  }
  return false;
}

ssize_t Connection::read(char* data, size_t size) {
  if (head_position_ < head_.size()) {
    const std::size_t count = std::min(size, head_.size() - head_position_);
    std::memcpy(data, head_.data() + head_position_, count);
    head_position_ += count;
    return static_cast<ssize_t>(count);
  }
  if (body_complete_) return 0;
  if (body_left_ == 0 && !next_chunk()) return -1;
  if (body_complete_) return 0;
  if (begin_ == end_ && !fill(std::chrono::steady_clock::now() + limits_.idle)) return -1;
  const std::size_t count = std::min<std::uint64_t>({size, end_ - begin_, body_left_});
  std::memcpy(data, buffer_.data() + begin_, count);
  begin_ += count;
  body_left_ -= count;
  body_complete_ = !chunked_ && body_left_ == 0;
  return static_cast<ssize_t>(count);
}

ssize_t Connection::write(const char* data, size_t size) {
  const std::string_view text(data, size);
  // httplib sends the head of a response in one piece. It knows nothing of a handler's wish to close.
  if (!response_begun_ && text.starts_with("HTTP/1.1 ") && !text.starts_with("HTTP/1.1 100")) {
    response_begun_ = true;
    closing_ = closing_ || text.find("\r\nConnection: close\r\n") != text.npos;
  }
  if (ssl_) {
    const int count = static_cast<int>(std::min<std::size_t>(size, 1 << 20));
    return count == 0 ? 0 : SSL_write(ssl_.get(), data, count);
  }
  for (;;) {
    const ssize_t count = ::send(socket_.get(), data, size, MSG_NOSIGNAL);
    if (count >= 0 || errno != EINTR) return count;
  }
}

void Connection::get_remote_ip_and_port(std::string& ip, int& port) const {
  sockaddr_storage address{};
  socklen_t size = sizeof(address);
  ::getpeername(socket_.get(), reinterpret_cast<sockaddr*>(&address), &size);
  describe(address, ip, port);
}

void Connection::get_local_ip_and_port(std::string& ip, int& port) const {
  sockaddr_storage address{};
  socklen_t size = sizeof(address);
  ::getsockname(socket_.get(), reinterpret_cast<sockaddr*>(&address), &size);
  describe(address, ip, port);
}

}  // namespace lade::registry::server

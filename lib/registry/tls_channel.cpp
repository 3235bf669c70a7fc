#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <array>
#include <optional>

#include "registry/tls.hpp"

namespace lade::registry {

namespace {

constexpr std::size_t max_record = 16 * 1024;
constexpr std::size_t max_write = 64 * 1024;  // records that are made before they are sent together

// What is below OpenSSL. Records are collected and leave in one send.
struct Wire {
  std::unique_ptr<Channel> below;
  std::string out;
  std::size_t sent = 0;
  bool at_end = false;
  bool first_read = true;
  bool speaks_http = false;
  std::string trouble = {};

  Attempt flush() {
    while (sent < out.size()) {
      const iovec rest{out.data() + sent, out.size() - sent};
      Attempt attempt = below->try_write({&rest, 1});
      if (attempt.state != Attempt::State::moved) return attempt;
      sent += attempt.count;
    }
    out.clear();
    sent = 0;
    return below->try_flush();
  }
};

int wire_write(BIO* bio, const char* data, int size) {
  static_cast<Wire*>(BIO_get_data(bio))->out.append(data, static_cast<std::size_t>(size));
  return size;
}

int wire_read(BIO* bio, char* data, int size) {
  Wire& wire = *static_cast<Wire*>(BIO_get_data(bio));
  BIO_clear_retry_flags(bio);
  const Attempt attempt =
      wire.below->try_read(std::as_writable_bytes(std::span(data, static_cast<std::size_t>(size))));
  switch (attempt.state) {
    case Attempt::State::moved:
      if (std::exchange(wire.first_read, false)) {
        wire.speaks_http = std::string_view(data, attempt.count).starts_with("HTTP/");
      }
      return static_cast<int>(attempt.count);
    case Attempt::State::want_read:
    case Attempt::State::want_write: BIO_set_retry_read(bio); return -1;
    case Attempt::State::end: wire.at_end = true; return 0;
    case Attempt::State::broken: wire.trouble = attempt.trouble; return -1;
  }
  return -1;
}

long wire_control(BIO* bio, int command, long, void*) {
  if (command == BIO_CTRL_EOF) return static_cast<Wire*>(BIO_get_data(bio))->at_end ? 1 : 0;
  return command == BIO_CTRL_FLUSH ? 1 : 0;
}

const BIO_METHOD* wire_method() {
  static const std::unique_ptr<BIO_METHOD, OpensslFree<BIO_meth_free>> method = [] {
    std::unique_ptr<BIO_METHOD, OpensslFree<BIO_meth_free>> made(
        BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "lade"));
    BIO_meth_set_write(made.get(), wire_write);
    BIO_meth_set_read(made.get(), wire_read);
    BIO_meth_set_ctrl(made.get(), wire_control);
    return made;
  }();
  return method.get();
}

bool is_address(const std::string& host) {
  in6_addr ignored{};
  return ::inet_pton(AF_INET, host.c_str(), &ignored) == 1 ||
         ::inet_pton(AF_INET6, host.c_str(), &ignored) == 1;
}

class TlsChannel final : public Channel {
 public:
  TlsChannel(std::shared_ptr<TlsContext> context, std::unique_ptr<Channel> below, TlsPeer peer)
      : context_(std::move(context)), wire_{.below = std::move(below), .out = {}}, peer_(std::move(peer)) {
    ssl_.reset(SSL_new(context_->get()));
    BIO* bio = BIO_new(wire_method());
    if (!ssl_ || bio == nullptr) throw Error(Kind::system, "tls: cannot make a connection");
    BIO_set_data(bio, &wire_);
    BIO_set_init(bio, 1);
    SSL_set_bio(ssl_.get(), bio, bio);
    SSL_set_app_data(ssl_.get(), &peer_);
    expect_peer();
  }

  ~TlsChannel() override {
    ERR_clear_error();
    if (shaken_ && SSL_shutdown(ssl_.get()) == 0) wire_.flush();
    ERR_clear_error();
  }

  void shake_hands(SslSessionPtr session, Deadline deadline, const std::stop_token& stop) {
    if (session) SSL_set_session(ssl_.get(), session.get());
    while (true) {
      ERR_clear_error();
      const int result = SSL_connect(ssl_.get());
      const Attempt attempt = result == 1 ? Attempt{} : judge(result);
      const Attempt flushed = wire_.flush();
      if (attempt.state == Attempt::State::broken || attempt.state == Attempt::State::end) refuse(attempt);
      if (flushed.state == Attempt::State::broken) refuse(flushed);
      if (result == 1 && flushed.state == Attempt::State::moved) break;
      const bool writes = flushed.state == Attempt::State::want_write;
      pollfd entry{.fd = socket(), .events = static_cast<short>(writes ? POLLOUT : POLLIN), .revents = 0};
      if (!wait_ready({&entry, 1}, deadline, stop)) {
        throw Error(Kind::unavailable, "net/http: TLS handshake timeout");
      }
    }
    shaken_ = true;
  }

  Attempt try_read(io::Buffer buffer) override {
    if (fault_) return *fault_;
    std::size_t total = 0;
    while (total < buffer.size()) {
      ERR_clear_error();
      const std::size_t room = std::min<std::size_t>(buffer.size() - total, 1U << 30);
      const int count = SSL_read(ssl_.get(), buffer.data() + total, static_cast<int>(room));
      if (count <= 0) {
        const Attempt attempt = judge(count);
        if (attempt.state == Attempt::State::end || attempt.state == Attempt::State::broken) fault_ = attempt;
        if (total > 0) break;
        return attempt;
      }
      total += static_cast<std::size_t>(count);
      if (SSL_has_pending(ssl_.get()) == 0) break;
    }
    return {Attempt::State::moved, total};
  }

  Attempt try_write(std::span<const iovec> parts) override {
    Attempt flushed = wire_.flush();
    if (flushed.state != Attempt::State::moved) return flushed;
    const iovec data = gather(parts);
    ERR_clear_error();
    const int count = SSL_write(ssl_.get(), data.iov_base, static_cast<int>(data.iov_len));
    if (count <= 0) return judge(count);
    flushed = wire_.flush();
    if (flushed.state == Attempt::State::broken) return flushed;
    return {Attempt::State::moved, static_cast<std::size_t>(count)};
  }

  Attempt try_flush() override { return wire_.flush(); }
  int socket() const override { return wire_.below->socket(); }

 private:
  void expect_peer() {
    SSL* ssl = ssl_.get();
    static constexpr std::array<unsigned char, 9> protocols{8, 'h', 't', 't', 'p', '/', '1', '.', '1'};
    SSL_set_alpn_protos(ssl, protocols.data(), protocols.size());
    if (is_address(peer_.host)) {
      X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), peer_.host.c_str());
      return;
    }
    SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
    if (SSL_set1_host(ssl, peer_.host.c_str()) != 1 ||
        SSL_set_tlsext_host_name(ssl, peer_.host.c_str()) != 1) {
      throw Error(Kind::invalid_input, "tls: invalid server name");
    }
  }

  // One piece for one SSL_write: small parts share a record, so that a head and its body leave together.
  iovec gather(std::span<const iovec> parts) {
    const iovec& first = parts.front();
    if (parts.size() == 1 || first.iov_len >= max_record) {
      return {first.iov_base, std::min(first.iov_len, max_write)};
    }
    gathered_.clear();
    for (const iovec& part : parts) {
      const std::size_t room = max_record - gathered_.size();
      gathered_.append(static_cast<const char*>(part.iov_base), std::min(part.iov_len, room));
    }
    return {gathered_.data(), gathered_.size()};
  }

  Attempt judge(int result) {
    switch (SSL_get_error(ssl_.get(), result)) {
      case SSL_ERROR_WANT_READ: return {Attempt::State::want_read};
      case SSL_ERROR_WANT_WRITE: return {Attempt::State::want_write};
      case SSL_ERROR_ZERO_RETURN: return {Attempt::State::end};
      case SSL_ERROR_SYSCALL:
        shaken_ = false;  // no close_notify any more
        if (wire_.at_end) return {Attempt::State::end};
        return {Attempt::State::broken, 0, wire_.trouble.empty() ? "unexpected EOF" : wire_.trouble};
      default: shaken_ = false; return tls_trouble();
    }
  }

  [[noreturn]] void refuse(const Attempt& attempt) {
    if (!peer_.verify_trouble.empty()) {
      throw Error(Kind::denied, "tls: failed to verify certificate: " + peer_.verify_trouble);
    }
    if (wire_.speaks_http) {
      throw Error(Kind::unsupported, "http: server gave HTTP response to HTTPS client");
    }
    if (attempt.state == Attempt::State::end) throw Error(Kind::unavailable, "EOF");
    throw Error(attempt.kind, attempt.trouble);
  }

  std::shared_ptr<TlsContext> context_;
  Wire wire_;
  TlsPeer peer_;
  SslPtr ssl_;  // last: its end may use all the others
  std::string gathered_;
  bool shaken_ = false;
  std::optional<Attempt> fault_;  // of reading: OpenSSL tells it only once
};

struct Alert {
  int number;
  const char* text;
};

// Go's crypto/tls, alertText.
constexpr std::array alerts{Alert{0, "close notify"},
                            Alert{10, "unexpected message"},
                            Alert{20, "bad record MAC"},
                            Alert{21, "decryption failed"},
                            Alert{22, "record overflow"},
                            Alert{30, "decompression failure"},
                            Alert{40, "handshake failure"},
                            Alert{42, "bad certificate"},
                            Alert{43, "unsupported certificate"},
                            Alert{44, "revoked certificate"},
                            Alert{45, "expired certificate"},
                            Alert{46, "unknown certificate"},
                            Alert{47, "illegal parameter"},
                            Alert{48, "unknown certificate authority"},
                            Alert{49, "access denied"},
                            Alert{50, "error decoding message"},
                            Alert{51, "error decrypting message"},
                            Alert{60, "export restriction"},
                            Alert{70, "protocol version not supported"},
                            Alert{71, "insufficient security level"},
                            Alert{80, "internal error"},
                            Alert{86, "inappropriate fallback"},
                            Alert{90, "user canceled"},
                            Alert{100, "no renegotiation"},
                            Alert{109, "missing extension"},
                            Alert{110, "unsupported extension"},
                            Alert{111, "certificate unobtainable"},
                            Alert{112, "unrecognized name"},
                            Alert{113, "bad certificate status response"},
                            Alert{114, "bad certificate hash value"},
                            Alert{115, "unknown PSK identity"},
                            Alert{116, "certificate required"},
                            Alert{120, "no application protocol"}};

Attempt alert_trouble(int number) {
  const auto found =
      std::find_if(alerts.begin(), alerts.end(), [&](const Alert& a) { return a.number == number; });
  const std::string text =
      found == alerts.end() ? "alert(" + std::to_string(number) + ")" : std::string(found->text);
  const bool about_us = (number >= 42 && number <= 49) || number == 116;
  return {Attempt::State::broken, 0, "remote error: tls: " + text,
          about_us ? Kind::denied : Kind::unsupported};
}

}  // namespace

Attempt tls_trouble() {
  const unsigned long code = ERR_peek_error();
  ERR_clear_error();
  const int reason = ERR_GET_REASON(code);
  const bool from_ssl = ERR_GET_LIB(code) == ERR_LIB_SSL;
  if (from_ssl && reason >= SSL_AD_REASON_OFFSET && reason < SSL_AD_REASON_OFFSET + 256) {
    return alert_trouble(reason - SSL_AD_REASON_OFFSET);
  }
  if (from_ssl && (reason == SSL_R_WRONG_VERSION_NUMBER || reason == SSL_R_PACKET_LENGTH_TOO_LONG)) {
    return {Attempt::State::broken, 0, "tls: first record does not look like a TLS handshake",
            Kind::unsupported};
  }
  if (from_ssl && reason == SSL_R_UNSUPPORTED_PROTOCOL) {
    return {Attempt::State::broken, 0, "tls: server selected unsupported protocol version",
            Kind::unsupported};
  }
  const char* text = ERR_reason_error_string(code);
  return {Attempt::State::broken, 0, std::string("tls: ") + (text != nullptr ? text : "unknown error"),
          Kind::unsupported};
}

std::unique_ptr<Channel> TlsContext::connect(std::unique_ptr<Channel> below, const std::string& host,
                                             int port, Deadline deadline, const std::stop_token& stop) {
  const std::string key = host + ":" + std::to_string(port);
  auto channel = std::make_unique<TlsChannel>(
      shared_from_this(), std::move(below), TlsPeer{.host = host, .session_key = key, .verify_trouble = {}});
  channel->shake_hands(take_session(key), deadline, stop);
  return channel;
}

}  // namespace lade::registry

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <deque>
#include <stdexcept>
#include <thread>

#include "support/scripted_server.hpp"

namespace lade::test {

namespace {

struct SslFree {
  void operator()(SSL* ssl) const { SSL_free(ssl); }
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
  void operator()(BIO* bio) const { BIO_free_all(bio); }
  void operator()(X509* certificate) const { X509_free(certificate); }
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};
template <class T>
using SslPtr = std::unique_ptr<T, SslFree>;

SslPtr<BIO> memory_bio(const std::string& text) {
  return SslPtr<BIO>(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

SslPtr<SSL_CTX> make_context(const Certificate& certificate, const std::string& client_ca, int max_version) {
  SslPtr<SSL_CTX> context(SSL_CTX_new(TLS_server_method()));
  const SslPtr<X509> cert(
      PEM_read_bio_X509(memory_bio(certificate.cert_pem).get(), nullptr, nullptr, nullptr));
  const SslPtr<EVP_PKEY> key(
      PEM_read_bio_PrivateKey(memory_bio(certificate.key_pem).get(), nullptr, nullptr, nullptr));
  SSL_CTX_use_certificate(context.get(), cert.get());
  SSL_CTX_use_PrivateKey(context.get(), key.get());
  SSL_CTX_set_session_id_context(context.get(), reinterpret_cast<const unsigned char*>("lade"), 4);
  if (max_version != 0) {
    SSL_CTX_set_security_level(context.get(), 0);
    SSL_CTX_set_min_proto_version(context.get(), TLS1_VERSION);
    SSL_CTX_set_max_proto_version(context.get(), max_version);
  }
  if (!client_ca.empty()) {
    const SslPtr<X509> ca(PEM_read_bio_X509(memory_bio(client_ca).get(), nullptr, nullptr, nullptr));
    X509_STORE_add_cert(SSL_CTX_get_cert_store(context.get()), ca.get());
    SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  }
  return context;
}

class Connection final : public ServerConnection {
 public:
  Connection(int fd, unsigned number, std::shared_ptr<SSL_CTX> context)
      : fd_(fd), number_(number), context_(std::move(context)) {}
  ~Connection() override {
    ssl_.reset();
    if (fd_ >= 0) ::close(fd_);
  }

  unsigned number() const override { return number_; }

  void start_tls(const Certificate& certificate) override {
    context_ = make_context(certificate, "", 0);
    accept_tls();
  }

  bool tls_resumed() const override { return ssl_ && SSL_session_reused(ssl_.get()) == 1; }

  void accept_tls() {
    ssl_.reset(SSL_new(context_.get()));
    SSL_set_fd(ssl_.get(), fd_);
    if (SSL_accept(ssl_.get()) != 1) gone_ = true;
  }

  std::string read_some(std::size_t limit) override {
    if (ahead_.empty() && !gone_) fill(limit);
    std::string text = ahead_.substr(0, limit);
    ahead_.erase(0, text.size());
    return text;
  }

  std::string read_head() override {
    while (!gone_) {
      const std::size_t end = ahead_.find("\r\n\r\n");
      if (end != std::string::npos) return read_some(end + 4);
      fill(65536);
    }
    return {};
  }

  std::string read_exactly(std::size_t size) override {
    if (size == 0) return "";
    while (ahead_.size() < size && !gone_) fill(65536);
    return read_some(size);
  }

  bool send(std::string_view bytes) override {
    while (!bytes.empty() && !gone_) {
      const auto sent = ssl_ ? SSL_write(ssl_.get(), bytes.data(), static_cast<int>(bytes.size()))
                             : ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
    return bytes.empty();
  }

  void close() override {
    if (ssl_ && !gone_) SSL_shutdown(ssl_.get());
    ::shutdown(fd_, SHUT_WR);
  }

  void reset() override {
    const linger abort{.l_onoff = 1, .l_linger = 0};
    const std::lock_guard lock(mutex_);
    ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &abort, sizeof abort);
    ssl_.reset();
    ::close(std::exchange(fd_, -1));
    gone_ = true;
  }

  void wait_for_close() override {
    while (!gone_) {
      ahead_.clear();
      fill(65536);
    }
  }

  // From the server's thread: wakes whatever the session is blocked in.
  void interrupt() {
    const std::lock_guard lock(mutex_);
    if (fd_ >= 0) ::shutdown(fd_, SHUT_RDWR);
  }
  // The client sees the end now; the server may live on.
  void finish() {
    const std::lock_guard lock(mutex_);
    ssl_.reset();
    if (fd_ >= 0) ::close(std::exchange(fd_, -1));
  }

 private:
  void fill(std::size_t limit) {
    std::string chunk(limit, '\0');
    const auto count = ssl_ ? SSL_read(ssl_.get(), chunk.data(), static_cast<int>(limit))
                            : ::recv(fd_, chunk.data(), limit, 0);
    if (count <= 0) gone_ = true;
    ahead_.append(chunk, 0, count > 0 ? static_cast<std::size_t>(count) : 0);
  }

  int fd_;
  unsigned number_;
  std::shared_ptr<SSL_CTX> context_;
  SslPtr<SSL> ssl_;
  std::string ahead_;
  bool gone_ = false;
  std::mutex mutex_;  // fd_ against interrupt()
};

int listen_on_path(const std::string& path) {
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_un name{};
  name.sun_family = AF_UNIX;
  path.copy(name.sun_path, sizeof name.sun_path - 1);
  if (::bind(fd, reinterpret_cast<sockaddr*>(&name), sizeof name) != 0 || ::listen(fd, 64) != 0)
    throw std::runtime_error("test server: listen on " + path);
  return fd;
}

int listen_on(const std::string& address) {
  if (address.starts_with('/')) return listen_on_path(address);
  const bool v6 = address.find(':') != std::string::npos;
  const int fd = ::socket(v6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in v4_address{.sin_family = AF_INET, .sin_port = 0, .sin_addr = {}, .sin_zero = {}};
  sockaddr_in6 v6_address{};
  v6_address.sin6_family = AF_INET6;
  ::inet_pton(v6 ? AF_INET6 : AF_INET, address.c_str(),
              v6 ? static_cast<void*>(&v6_address.sin6_addr) : static_cast<void*>(&v4_address.sin_addr));
  const auto* name = v6 ? reinterpret_cast<sockaddr*>(&v6_address) : reinterpret_cast<sockaddr*>(&v4_address);
  const socklen_t size = v6 ? sizeof v6_address : sizeof v4_address;
  if (::bind(fd, name, size) != 0 || ::listen(fd, 64) != 0) throw std::runtime_error("test server: listen");
  return fd;
}

int port_of(int fd) {
  sockaddr_storage name{};
  socklen_t size = sizeof name;
  ::getsockname(fd, reinterpret_cast<sockaddr*>(&name), &size);
  return ntohs(name.ss_family == AF_INET6 ? reinterpret_cast<sockaddr_in6&>(name).sin6_port
                                          : reinterpret_cast<sockaddr_in&>(name).sin_port);
}

// A signal of a write in this thread stays pending here; the process keeps its default action, so that tests
// can show that the client never raises it.
void block_sigpipe() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGPIPE);
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
}

}  // namespace

struct RawServer::Impl {
  Session session;
  ServerOptions options;
  std::shared_ptr<SSL_CTX> context;
  int listener = -1;
  int port = 0;
  std::atomic<unsigned> accepted{0};
  std::atomic<bool> stopping{false};
  std::mutex mutex;
  std::deque<std::shared_ptr<Connection>> connections;
  std::deque<std::thread> threads;
  std::thread acceptor;

  void accept_all() {
    block_sigpipe();
    while (!stopping) {
      const int fd = ::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
      if (fd < 0) break;
      const int on = 1;
      ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
      auto connection = std::make_shared<Connection>(fd, accepted++, context);
      const std::lock_guard lock(mutex);
      if (stopping) break;
      connections.push_back(connection);
      threads.emplace_back([this, connection] { run(*connection); });
    }
  }

  void run(Connection& connection) {
    block_sigpipe();
    if (context) connection.accept_tls();
    session(connection);
    connection.finish();
  }

  void stop() {
    {
      const std::lock_guard lock(mutex);
      stopping = true;
      for (const auto& connection : connections) connection->interrupt();
    }
    ::shutdown(listener, SHUT_RDWR);
    acceptor.join();
    for (std::thread& thread : threads) thread.join();
    ::close(listener);
  }
};

RawServer::RawServer(Session session, ServerOptions options) : impl_(std::make_unique<Impl>()) {
  impl_->session = std::move(session);
  impl_->options = std::move(options);
  const ServerOptions& chosen = impl_->options;
  if (chosen.tls) impl_->context = make_context(*chosen.tls, chosen.client_ca_pem, chosen.max_tls_version);
  impl_->listener = listen_on(chosen.address);
  impl_->port = port_of(impl_->listener);
  impl_->acceptor = std::thread([impl = impl_.get()] { impl->accept_all(); });
}

RawServer::~RawServer() {
  impl_->stop();
}

int RawServer::port() const {
  return impl_->port;
}
unsigned RawServer::connections() const {
  return impl_->accepted;
}

std::string RawServer::host() const {
  const std::string& address = impl_->options.address;
  const bool v6 = address.find(':') != std::string::npos;
  return (v6 ? "[" + address + "]" : address) + ":" + std::to_string(impl_->port);
}

std::string RawServer::url(std::string_view target) const {
  return (impl_->options.tls ? "https://" : "http://") + host() + std::string(target);
}

}  // namespace lade::test

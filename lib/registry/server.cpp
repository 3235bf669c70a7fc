#include "registry/server.hpp"

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <condition_variable>
#include <list>
#include <thread>

#include "base/error.hpp"
#include "base/scope_exit.hpp"
#include "registry/server/api.hpp"
#include "registry/server/connection.hpp"
#include "registry/server/listener.hpp"

namespace lade::registry {

namespace {

using server::Connection;

// Each has a thread. Further clients wait in the queue of the socket.
constexpr std::size_t max_connections = 256;

struct FreeTls {
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
};
using TlsPtr = std::unique_ptr<SSL_CTX, FreeTls>;

TlsPtr make_tls(const ServerOptions& options) {
  if (options.tls_cert.empty() != options.tls_key.empty()) {
    throw Error(Kind::invalid_input, "a TLS certificate and its key go together");
  }
  if (options.tls_cert.empty()) return nullptr;
  TlsPtr tls(SSL_CTX_new(TLS_server_method()));
  if (!tls || SSL_CTX_set_min_proto_version(tls.get(), TLS1_2_VERSION) != 1) {
    throw Error(Kind::system, "OpenSSL offers no TLS 1.2");
  }
  if (SSL_CTX_use_certificate_chain_file(tls.get(), options.tls_cert.c_str()) != 1) {
    throw Error(Kind::invalid_input, "cannot read the certificate " + options.tls_cert.string());
  }
  if (SSL_CTX_use_PrivateKey_file(tls.get(), options.tls_key.c_str(), SSL_FILETYPE_PEM) != 1 ||
      SSL_CTX_check_private_key(tls.get()) != 1) {
    throw Error(Kind::invalid_input, "the key " + options.tls_key.string() + " does not fit the certificate");
  }
  return tls;
}

// cpp-httplib's server without its sockets: it parses requests and frames responses.
class HttpServer final : public httplib::Server {
 public:
  // While `alive` is not negative, bodies are sent.
  HttpServer(server::Api& api, int alive) {
    svr_sock_ = alive;
    const auto plain = [&api](const httplib::Request& request, httplib::Response& response) {
      api.handle(request, response, nullptr);
    };
    const auto with_body = [&api](const httplib::Request& request, httplib::Response& response,
                                  const httplib::ContentReader& body) {
      api.handle(request, response, &body);
    };
    // Every request has this path, see serve(): the API reads the target itself.
    Get("/", plain).Post("/", with_body).Put("/", with_body).Patch("/", with_body).Delete("/", with_body);
    set_expect_100_continue_handler([&api](const httplib::Request& request, httplib::Response& response) {
      return api.may_continue(request, response) ? 100 : response.status;
    });
    set_error_handler(HandlerWithResponse([](const httplib::Request&, httplib::Response& response) {
      server::Api::describe_error(response);
      return HandlerResponse::Handled;
    }));
  }

  void abandon_bodies() { svr_sock_ = INVALID_SOCKET; }

  void serve(Connection& connection) {
    const auto prepare = [&connection](httplib::Request& request) {
      request.path = "/";
      request.headers = connection.headers();
      request.ranges.clear();
      request.headers.erase("Accept-Encoding");  // or httplib would compress what has a digest
    };
    bool closed = false;
    while (connection.next_request()) {
      if (!process_request(connection, false, closed, prepare) || closed || !connection.reusable()) break;
    }
    connection.close();
  }
};

class RunningServer final : public Server {
 public:
  RunningServer(const ServerOptions& options, Logger& log)
      : store_(options.layout, options.readonly, log),
        passwords_(options.htpasswd.empty() ? nullptr : std::make_unique<server::Htpasswd>(options.htpasswd)),
        tls_(make_tls(options)),
        context_(background_with(log)),
        api_(store_, passwords_.get(), {options.readonly}, context_),
        socket_(server::listen_on(options.host, options.port)),
        http_(api_, socket_.get()),
        wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
        port_(server::port_of(socket_)) {
    if (!wake_.is_open()) throw Error::from_errno(errno, "eventfd");
    start_without_signals();
  }
  ~RunningServer() override { stop(); }

  int port() const override { return port_; }

  void wait(std::stop_token stop) override {
    std::mutex mutex;
    std::condition_variable_any never;
    std::unique_lock lock(mutex);
    never.wait(lock, stop, [] { return false; });
    this->stop();
  }

  void stop() override {
    const std::lock_guard lock(stopping_);
    if (!acceptor_.joinable()) return;
    stop_.request_stop();
    http_.abandon_bodies();
    const std::uint64_t one = 1;
    // An eventfd that is not full takes a write.
    [[maybe_unused]] const auto written = ::write(wake_.get(), &one, sizeof(one));
    acceptor_.join();
    socket_.reset();
    for (auto& client : clients_) client.connection.shut_down();
    for (auto& client : clients_) client.thread.join();
    clients_.clear();
  }

 private:
  struct Client {
    Client(os::UniqueFd socket, server::SslPtr ssl) : connection(std::move(socket), std::move(ssl), {}) {}
    Connection connection;
    std::atomic<bool> done = false;
    std::thread thread;
  };

  Context background_with(Logger& log) const {
    return {stop_.get_token(), log, silent_progress(), real_clock()};
  }

  // Signals are for the program's own threads; OpenSSL writes to sockets that may raise SIGPIPE.
  void start_without_signals() {
    sigset_t all, before;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_BLOCK, &all, &before);
    acceptor_ = std::thread([this] { accept_clients(); });
    ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  }

  void accept_clients() noexcept {
    while (!stop_.stop_requested()) {
      reap();
      const bool full = clients_.size() >= max_connections;
      pollfd entries[2] = {{wake_.get(), POLLIN, 0}, {socket_.get(), POLLIN, 0}};
      ::poll(entries, full ? 1 : 2, full ? 10 : 1'000);
      if (full || entries[1].revents == 0) continue;
      os::UniqueFd socket(::accept4(socket_.get(), nullptr, nullptr, SOCK_CLOEXEC));
      if (socket.is_open()) {
        add_client(std::move(socket));
      } else if (errno == EMFILE || errno == ENFILE) {
        ::poll(entries, 1, 10);  // until somebody leaves
      }
    }
  }

  void reap() {
    for (auto client = clients_.begin(); client != clients_.end();) {
      if (client->done) {
        client->thread.join();
        client = clients_.erase(client);
      } else {
        ++client;
      }
    }
  }

  // A client that finds no thread or memory is sent away; the others stay.
  void add_client(os::UniqueFd socket) noexcept {
    try {
      server::SslPtr ssl(tls_ ? SSL_new(tls_.get()) : nullptr);
      Client& client = clients_.emplace_back(std::move(socket), std::move(ssl));
      ScopeExit forget([this] { clients_.pop_back(); });
      client.thread = std::thread([this, &client] { serve(client); });
      forget.release();
    } catch (const std::exception& error) {
      context_.log.warning(std::string("cannot serve a client: ") + error.what());
    }
  }

  // The boundary of a client's thread: what goes wrong ends this connection only.
  void serve(Client& client) noexcept {
    try {
      http_.serve(client.connection);
    } catch (const std::exception& error) {
      context_.log.warning(std::string("a connection broke: ") + error.what());
      client.connection.shut_down();
    }
    client.done = true;
  }

  std::stop_source stop_;
  server::LayoutStore store_;
  std::unique_ptr<server::Htpasswd> passwords_;
  TlsPtr tls_;
  Context context_;
  server::Api api_;
  os::UniqueFd socket_;
  HttpServer http_;
  os::UniqueFd wake_;
  int port_;
  std::mutex stopping_;
  std::list<Client> clients_;  // of the acceptor alone, until it is joined
  std::thread acceptor_;
};

}  // namespace

std::unique_ptr<Server> Server::start(const ServerOptions& options, Logger& log) {
  return std::make_unique<RunningServer>(options, log);
}

}  // namespace lade::registry

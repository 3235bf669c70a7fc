#include "registry/dial.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <condition_variable>
#include <cstring>
#include <deque>
#include <mutex>
#include <optional>
#include <thread>

#include "base/error.hpp"
#include "registry/channel.hpp"

namespace lade::registry {

struct LookupAnswer {
  int code = 0;  // of getaddrinfo
  std::vector<SocketAddress> addresses;
};

namespace {

using std::chrono::steady_clock;

constexpr std::chrono::milliseconds head_start{250};
constexpr std::chrono::seconds answer_lifetime{30};
constexpr std::chrono::milliseconds full_queue_pause{20};

LookupAnswer ask(const std::string& host, int flags) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = flags;
  addrinfo* list = nullptr;
  LookupAnswer answer;
  answer.code = ::getaddrinfo(host.c_str(), nullptr, &hints, &list);
  for (const addrinfo* entry = list; answer.code == 0 && entry != nullptr; entry = entry->ai_next) {
    SocketAddress address;
    address.size = entry->ai_addrlen;
    std::memcpy(&address.storage, entry->ai_addr, entry->ai_addrlen);
    answer.addresses.push_back(address);
  }
  if (list != nullptr) ::freeaddrinfo(list);
  return answer;
}

// First the family of the first address, then by turns (RFC 8305 section 4).
std::vector<SocketAddress> by_turns(const std::vector<SocketAddress>& addresses) {
  std::deque<SocketAddress> first, second;
  for (const SocketAddress& address : addresses) {
    const bool same = address.storage.ss_family == addresses.front().storage.ss_family;
    (same ? first : second).push_back(address);
  }
  std::vector<SocketAddress> result;
  for (std::size_t i = 0; i < std::max(first.size(), second.size()); ++i) {
    if (i < first.size()) result.push_back(first[i]);
    if (i < second.size()) result.push_back(second[i]);
  }
  return result;
}

[[noreturn]] void fail_lookup(const std::string& host, int code) {
  const bool absent = code == EAI_NONAME || code == EAI_NODATA || code == EAI_ADDRFAMILY;
  throw Error(Kind::unavailable, "lookup " + host + ": " + (absent ? "no such host" : ::gai_strerror(code)));
}

void set_port(SocketAddress& address, int port) {
  const auto value = htons(static_cast<std::uint16_t>(port));
  if (address.storage.ss_family == AF_INET6) {
    reinterpret_cast<sockaddr_in6&>(address.storage).sin6_port = value;
  } else {
    reinterpret_cast<sockaddr_in&>(address.storage).sin_port = value;
  }
}

// Connection attempts that run against each other; the first one through wins.
class Race {
 public:
  Race(std::vector<SocketAddress> addresses, Deadline deadline, const std::stop_token& stop)
      : waiting_(addresses.begin(), addresses.end()), deadline_(deadline), stop_(stop) {}

  os::UniqueFd run() {
    while (true) {
      if (may_start()) start_next();
      if (winner_.is_open()) return std::move(winner_);
      if (running_.empty() && waiting_.empty()) throw *first_failure_;
      if (!running_.empty()) wait();
    }
  }

 private:
  struct Attempt {
    os::UniqueFd socket;
    SocketAddress address;
  };

  bool may_start() const {
    return !waiting_.empty() && (running_.empty() || steady_clock::now() >= next_start_);
  }

  void fail(const SocketAddress& address, std::string_view what) {
    if (first_failure_) return;
    first_failure_ = Error(Kind::unavailable, "dial tcp " + address_text(address.get(), address.size) + ": " +
                                                  std::string(what));
  }

  void start_next() {
    const SocketAddress address = waiting_.front();
    waiting_.pop_front();
    next_start_ = steady_clock::now() + head_start;
    os::UniqueFd socket(
        ::socket(address.storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP));
    if (!socket.is_open()) return fail(address, "socket: " + errno_text(errno));
    if (::connect(socket.get(), address.get(), address.size) == 0) {
      winner_ = std::move(socket);
    } else if (errno == EINPROGRESS) {
      running_.push_back({std::move(socket), address});
    } else {
      fail(address, "connect: " + errno_text(errno));
    }
  }

  void wait() {
    std::vector<pollfd> sockets;
    for (const Attempt& attempt : running_) sockets.push_back({attempt.socket.get(), POLLOUT, 0});
    const Deadline until = waiting_.empty() ? deadline_ : std::min(deadline_, next_start_);
    if (!wait_ready(sockets, until, stop_)) {
      if (steady_clock::now() < deadline_) return;
      fail(running_.front().address, "i/o timeout");
      throw *first_failure_;
    }
    for (std::size_t i = sockets.size(); i-- > 0;) {
      if (sockets[i].revents != 0) settle(i);
    }
  }

  void settle(std::size_t index) {
    int code = 0;
    socklen_t size = sizeof code;
    ::getsockopt(running_[index].socket.get(), SOL_SOCKET, SO_ERROR, &code, &size);
    if (code == 0) {
      winner_ = std::move(running_[index].socket);
    } else {
      fail(running_[index].address, "connect: " + errno_text(code));
    }
    running_.erase(running_.begin() + static_cast<std::ptrdiff_t>(index));
    next_start_ = steady_clock::now();
  }

  std::deque<SocketAddress> waiting_;
  std::vector<Attempt> running_;
  os::UniqueFd winner_;
  std::optional<Error> first_failure_;
  Deadline next_start_{};
  Deadline deadline_;
  const std::stop_token& stop_;
};

void set_option(int socket, int level, int name) {
  const int on = 1;
  ::setsockopt(socket, level, name, &on, sizeof on);
}

}  // namespace

std::string address_text(const sockaddr* address, socklen_t size) {
  if (address->sa_family == AF_UNIX) {
    const auto& name = reinterpret_cast<const sockaddr_un*>(address)->sun_path;
    return name[0] == '\0' ? "@" : std::string(name, ::strnlen(name, sizeof name));
  }
  std::array<char, NI_MAXHOST> host{};
  std::array<char, NI_MAXSERV> port{};
  if (::getnameinfo(address, size, host.data(), host.size(), port.data(), port.size(),
                    NI_NUMERICHOST | NI_NUMERICSERV) != 0) {
    return "?";
  }
  const std::string name = host.data();
  return (address->sa_family == AF_INET6 ? "[" + name + "]" : name) + ":" + port.data();
}

// Shared with the thread that asks, so that it may outlive whoever waits for it.
struct Resolver::Lookup {
  std::mutex mutex;
  std::condition_variable_any answered;
  std::optional<LookupAnswer> answer;
  Deadline expires = Deadline::max();

  bool usable() {
    const std::lock_guard lock(mutex);
    return !answer || (answer->code == 0 && steady_clock::now() < expires);
  }

  void finish(LookupAnswer result) {
    const std::lock_guard lock(mutex);
    answer = std::move(result);
    expires = steady_clock::now() + answer_lifetime;
    answered.notify_all();
  }
};

std::vector<SocketAddress> Resolver::addresses(const std::string& host, Deadline deadline,
                                               const std::stop_token& stop) {
  if (host == "localhost") {
    LookupAnswer v4 = ask("127.0.0.1", AI_NUMERICHOST);
    const LookupAnswer v6 = ask("::1", AI_NUMERICHOST);
    v4.addresses.insert(v4.addresses.end(), v6.addresses.begin(), v6.addresses.end());
    return v4.addresses;
  }
  if (LookupAnswer number = ask(host, AI_NUMERICHOST); number.code == 0) return number.addresses;
  std::shared_ptr<Lookup> lookup;
  {
    auto lookups = lookups_.lock();
    std::shared_ptr<Lookup>& known = (*lookups)[host];
    if (!known || !known->usable()) {
      known = std::make_shared<Lookup>();
      std::thread([known, host] { known->finish(ask(host, AI_ADDRCONFIG)); }).detach();
    }
    lookup = known;
  }
  std::unique_lock lock(lookup->mutex);
  const bool done =
      lookup->answered.wait_until(lock, stop, deadline, [&] { return lookup->answer.has_value(); });
  if (stop.stop_requested()) throw Cancelled();
  if (!done) throw Error(Kind::unavailable, "lookup " + host + ": i/o timeout");
  if (lookup->answer->code != 0) fail_lookup(host, lookup->answer->code);
  return by_turns(lookup->answer->addresses);
}

os::UniqueFd dial(Resolver& resolver, const std::string& host, int port, Deadline deadline,
                  const std::stop_token& stop) {
  std::vector<SocketAddress> addresses =
      in_context("dial tcp", [&] { return resolver.addresses(host, deadline, stop); });
  for (SocketAddress& address : addresses) set_port(address, port);
  os::UniqueFd socket = Race(std::move(addresses), deadline, stop).run();
  set_option(socket.get(), IPPROTO_TCP, TCP_NODELAY);
  set_option(socket.get(), SOL_SOCKET, SO_KEEPALIVE);
  return socket;
}

os::UniqueFd dial_unix(const std::string& path, Deadline deadline, const std::stop_token& stop) {
  const auto fail = [&](Kind kind, const std::string& what) {
    throw Error(kind, "dial unix " + path + ": " + what);
  };
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) fail(Kind::invalid_input, "the path is too long");
  std::copy(path.begin(), path.end(), address.sun_path);
  socklen_t size = sizeof address;
  if (path.starts_with('@')) {
    address.sun_path[0] = '\0';
    size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size());
  }
  os::UniqueFd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!socket.is_open()) fail(Kind::unavailable, "socket: " + errno_text(errno));
  while (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), size) != 0) {
    if (errno == EINTR) continue;
    // The queue of the listener is full: nothing tells when it is not.
    if (errno != EAGAIN)
      fail(errno == EACCES ? Kind::denied : Kind::unavailable, "connect: " + errno_text(errno));
    if (stop.stop_requested()) throw Cancelled();
    if (steady_clock::now() >= deadline) fail(Kind::unavailable, "i/o timeout");
    std::this_thread::sleep_for(full_queue_pause);
  }
  return socket;
}

}  // namespace lade::registry

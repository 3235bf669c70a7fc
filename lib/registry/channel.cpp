#include "registry/channel.hpp"

#include <sys/socket.h>

#include <cerrno>
#include <system_error>

#include "registry/dial.hpp"

namespace lade::registry {

namespace {

bool would_block(int code) {
  return code == EAGAIN || code == EWOULDBLOCK;
}

SocketAddress name_of(int socket, int (*get)(int, sockaddr*, socklen_t*)) {
  SocketAddress name;
  name.size = sizeof name.storage;
  if (get(socket, reinterpret_cast<sockaddr*>(&name.storage), &name.size) != 0) name.size = 0;
  return name;
}

class PlainChannel final : public Channel {
 public:
  explicit PlainChannel(os::UniqueFd socket)
      : socket_(std::move(socket)), peer_(name_of(socket_.get(), ::getpeername)) {}

  Attempt try_read(io::Buffer buffer) override {
    while (true) {
      const ssize_t count = ::recv(socket_.get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
      if (count > 0) return {Attempt::State::moved, static_cast<std::size_t>(count)};
      if (count == 0) return {Attempt::State::end};
      if (would_block(errno)) return {Attempt::State::want_read};
      if (errno != EINTR) return broken("read", errno);
    }
  }

  Attempt try_write(std::span<const iovec> parts) override {
    msghdr message{};
    message.msg_iov = const_cast<iovec*>(parts.data());  // sendmsg does not change it
    message.msg_iovlen = parts.size();
    while (true) {
      const ssize_t count = ::sendmsg(socket_.get(), &message, MSG_NOSIGNAL | MSG_DONTWAIT);
      if (count >= 0) return {Attempt::State::moved, static_cast<std::size_t>(count)};
      if (would_block(errno)) return {Attempt::State::want_write};
      if (errno != EINTR) return broken("write", errno);
    }
  }

  Attempt try_flush() override { return {}; }
  int socket() const override { return socket_.get(); }

 private:
  // "read tcp <local>-><remote>: read: connection reset by peer".
  Attempt broken(const std::string& verb, int code) const {
    const SocketAddress local = name_of(socket_.get(), ::getsockname);
    const std::string network = peer_.storage.ss_family == AF_UNIX ? " unix " : " tcp ";
    return {Attempt::State::broken, 0,
            verb + network + address_text(local.get(), local.size) + "->" +
                address_text(peer_.get(), peer_.size) + ": " + verb + ": " + errno_text(code)};
  }

  os::UniqueFd socket_;
  SocketAddress peer_;  // kept, because a socket forgets it with a reset
};

}  // namespace

std::unique_ptr<Channel> make_plain_channel(os::UniqueFd socket) {
  return std::make_unique<PlainChannel>(std::move(socket));
}

std::string errno_text(int code) {
  std::string text = std::generic_category().message(code);
  if (!text.empty() && text[0] >= 'A' && text[0] <= 'Z') text[0] = static_cast<char>(text[0] - 'A' + 'a');
  return text;
}

}  // namespace lade::registry

#include "proxy/channel.hpp"

#include <sys/socket.h>

#include <cerrno>
#include <cstring>

#include "base/error.hpp"
#include "proxy/waiting.hpp"

namespace lade::proxy {

namespace {

constexpr std::size_t max_descriptors = 2;

}  // namespace

Channel::Channel(os::UniqueFd socket) : socket_(std::move(socket)) {
  int type = 0, domain = 0;
  ::socklen_t size = sizeof type;
  if (::getsockopt(socket_.get(), SOL_SOCKET, SO_TYPE, &type, &size) != 0 ||
      ::getsockopt(socket_.get(), SOL_SOCKET, SO_DOMAIN, &domain, &size) != 0)
    throw Error::from_errno(errno, "descriptor " + std::to_string(socket_.get()));
  if (type != SOCK_SEQPACKET || domain != AF_UNIX)
    throw Error(Kind::invalid_input, "descriptor " + std::to_string(socket_.get()) +
                                         ": expected a Unix socket of type SOCK_SEQPACKET");
}

std::optional<Channel::Message> Channel::receive(const Context& context) {
  Waker waker(context.stop);
  waker.wait(socket_.get(), POLLIN);
  std::string text(max_message_size, '\0');
  ::iovec part{text.data(), text.size()};
  ::msghdr header{};
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  ssize_t size = 0;
  do {
    size = ::recvmsg(socket_.get(), &header, MSG_CMSG_CLOEXEC);
  } while (size < 0 && errno == EINTR);
  if (size < 0 && errno == ECONNRESET) return std::nullopt;
  if (size < 0) throw Error::from_errno(errno, "reading socket");
  if (size == 0) return std::nullopt;
  text.resize(static_cast<std::size_t>(size));
  return Message{std::move(text), (header.msg_flags & MSG_TRUNC) != 0};
}

void Channel::send(const std::string& text, const std::vector<int>& descriptors) {
  ::iovec part{const_cast<char*>(text.data()), text.size()};
  alignas(::cmsghdr) char control[CMSG_SPACE(sizeof(int) * max_descriptors)] = {};
  ::msghdr header{};
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  if (!descriptors.empty()) {
    const std::size_t size = sizeof(int) * descriptors.size();
    header.msg_control = control;
    header.msg_controllen = CMSG_SPACE(size);
    ::cmsghdr* rights = CMSG_FIRSTHDR(&header);
    rights->cmsg_level = SOL_SOCKET;
    rights->cmsg_type = SCM_RIGHTS;
    rights->cmsg_len = CMSG_LEN(size);
    std::memcpy(CMSG_DATA(rights), descriptors.data(), size);
  }
  ssize_t sent = 0;
  do {
    sent = ::sendmsg(socket_.get(), &header, MSG_NOSIGNAL);
  } while (sent < 0 && errno == EINTR);
  if (sent < 0) throw Error::from_errno(errno, "writing to socket");
}

}  // namespace lade::proxy

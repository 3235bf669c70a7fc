// Messages over a SOCK_SEQPACKET socket, with descriptors beside them.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "base/context.hpp"
#include "os/unique_fd.hpp"

namespace lade::proxy {

inline constexpr std::size_t max_message_size = 32 * 1024;

class Channel {
 public:
  // Kind::invalid_input unless it is such a socket.
  explicit Channel(os::UniqueFd socket);

  struct Message {
    std::string text;
    bool truncated = false;  // it was longer than max_message_size
  };
  // The next one; nullopt when the other side has closed. Cancelled when the context is stopped.
  std::optional<Message> receive(const Context& context);
  // Kind::system if it cannot be sent: the other side is gone.
  void send(const std::string& text, const std::vector<int>& descriptors);

 private:
  os::UniqueFd socket_;
};

}  // namespace lade::proxy

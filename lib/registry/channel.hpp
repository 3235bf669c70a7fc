// One connected socket, plain or under TLS, that never blocks.
#pragma once

#include <sys/uio.h>

#include <memory>
#include <span>
#include <string>

#include "base/error.hpp"
#include "io/stream.hpp"
#include "os/unique_fd.hpp"

namespace lade::registry {

// What came of trying to move bytes.
struct Attempt {
  enum class State {
    moved,       // `count` bytes (> 0)
    want_read,   // again when the socket is readable
    want_write,  // again when the socket is writable
    end,         // the peer has closed in order
    broken,      // `trouble` says how, in Go's words
  };
  State state = State::moved;
  std::size_t count = 0;
  std::string trouble = {};
  Kind kind = Kind::unavailable;  // of the trouble
};

class Channel {
 public:
  virtual ~Channel() = default;
  virtual Attempt try_read(io::Buffer buffer) = 0;
  // Takes over bytes from the front of the parts, together at least one.
  virtual Attempt try_write(std::span<const iovec> parts) = 0;
  // Sends what try_write has taken over but not sent: moved (count 0) when nothing is left.
  virtual Attempt try_flush() = 0;
  virtual int socket() const = 0;
};

// Of a connected socket. Never raises SIGPIPE.
std::unique_ptr<Channel> make_plain_channel(os::UniqueFd socket);

// strerror in Go's spelling: "connection refused".
std::string errno_text(int code);

}  // namespace lade::registry

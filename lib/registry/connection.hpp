// A connection to a server or proxy that speaks HTTP/1.1: bytes with bounded waiting, read ahead by a little.
#pragma once

#include <chrono>
#include <memory>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "registry/channel.hpp"
#include "registry/wait.hpp"

namespace lade::registry {

// Not thread-safe. Reads and writes wait at most as Patience allows, then throw Kind::unavailable; they throw
// Cancelled when the stop token of serve() is stopped.
class Connection {
 public:
  Connection(std::unique_ptr<Channel> channel, std::chrono::milliseconds read_timeout)
      : channel_(std::move(channel)), patience_(read_timeout) {}

  // What follows is done for whoever holds `stop`; `late` is the text of the error when patience runs out.
  void serve(std::stop_token stop, std::string_view late) {
    stop_ = std::move(stop);
    received_ = false;
    expect(late);
  }
  void expect(std::string_view late) {
    late_ = late;
    patience_.renew();
  }

  // Straight into buffer, after what was read ahead; 0 when the peer has closed.
  std::size_t read(io::Buffer buffer);

  enum class Sent {
    all,
    interrupted,  // the peer has sent something or closed: look at ahead() and answered()
    broken,       // the connection takes no more; trouble() says why
  };
  // Sends the parts, which are moved forward over what was sent: may be called again with the rest.
  Sent write(std::span<iovec> parts);
  const Attempt& trouble() const { return trouble_; }

  // True if there is something to read, or an end. Never waits.
  bool peer_spoke();
  // Bytes that were read and not yet used. Views end with the next call of anything else.
  std::string_view ahead() const { return std::string_view(ahead_).substr(used_); }
  void consume(std::size_t count);
  // Waits for more bytes at the end of ahead(); false if the peer has closed.
  bool fill();
  bool at_end() const { return at_end_; }
  // The peer ended the connection and had sent nothing since serve(): when the connection was kept from
  // before, the peer may have closed it without seeing the request.
  bool died_silently() const { return !received_ && (at_end_ || !trouble_.trouble.empty()); }

  // For the time between two requests: false if it must not be used again.
  bool is_idle() { return ahead().empty() && !peer_spoke(); }
  // The socket, for another protocol on top of it.
  std::unique_ptr<Channel> release() { return std::move(channel_); }

 private:
  void wait(Attempt::State state);
  Attempt::State receive_ahead();

  std::unique_ptr<Channel> channel_;
  Patience patience_;
  std::stop_token stop_;
  std::string_view late_;
  std::string ahead_;
  std::size_t used_ = 0;
  bool at_end_ = false;
  bool received_ = false;
  Attempt trouble_;
};

}  // namespace lade::registry

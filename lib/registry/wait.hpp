// Waiting on sockets: bounded in time, woken by a stop token.
#pragma once

#include <poll.h>

#include <chrono>
#include <span>
#include <stop_token>

namespace lade::registry {

using Deadline = std::chrono::steady_clock::time_point;

// Blocks until a descriptor is ready; false when the deadline passed first. A stop shuts the sockets down,
// which wakes the poll, and throws Cancelled: they are of no use afterwards.
bool wait_ready(std::span<pollfd> sockets, Deadline deadline, const std::stop_token& stop);

// How long a peer may keep us waiting: `limit` in all, given anew each time it has sent or taken a fair
// amount of bytes. A peer that trickles single bytes runs out of it; the time between our own calls does not
// count.
class Patience {
 public:
  explicit Patience(std::chrono::milliseconds limit) : limit_(limit), left_(limit) {}

  void renew() {
    left_ = limit_;
    moved_ = 0;
  }
  void moved(std::size_t bytes) {
    moved_ += bytes;
    if (moved_ >= fair_amount()) renew();
  }
  // wait_ready for one socket; false when patience has run out.
  bool wait(int socket, short events, const std::stop_token& stop);

 private:
  // 512 bytes a second: below that no transfer of an image is of use.
  std::size_t fair_amount() const { return static_cast<std::size_t>(limit_.count()) / 2 + 1; }

  std::chrono::milliseconds limit_;
  std::chrono::nanoseconds left_;
  std::size_t moved_ = 0;
};

}  // namespace lade::registry

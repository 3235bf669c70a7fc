// Waiting for a descriptor until a stop is requested.
#pragma once

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <functional>
#include <stop_token>

#include "base/error.hpp"
#include "os/unique_fd.hpp"

namespace lade::proxy {

class Waker {
 public:
  explicit Waker(const std::stop_token& stop)
      : event_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)), wake_(stop, [this] { signal(); }) {
    if (!event_.is_open()) throw Error::from_errno(errno, "eventfd");
  }

  // Until one of `events`, or an error, is there; Cancelled when a stop was requested.
  void wait(int descriptor, short events) {
    std::array<pollfd, 2> entries{{{descriptor, events, 0}, {event_.get(), POLLIN, 0}}};
    while (::poll(entries.data(), entries.size(), -1) < 0) {
      if (errno != EINTR) throw Error::from_errno(errno, "poll");
    }
    if (entries[1].revents != 0) throw Cancelled();
  }

 private:
  void signal() const noexcept {
    const std::uint64_t one = 1;
    // It is counted up to 2^64: this does not fail.
    [[maybe_unused]] const auto written = ::write(event_.get(), &one, sizeof one);
  }

  os::UniqueFd event_;
  std::stop_callback<std::function<void()>> wake_;
};

}  // namespace lade::proxy

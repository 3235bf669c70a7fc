#include "registry/wait.hpp"

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

#include "base/error.hpp"

namespace lade::registry {

bool wait_ready(std::span<pollfd> sockets, Deadline deadline, const std::stop_token& stop) {
  using namespace std::chrono;
  const std::stop_callback wake(stop, [&] {
    for (const pollfd& socket : sockets) ::shutdown(socket.fd, SHUT_RDWR);
  });
  while (true) {
    if (stop.stop_requested()) throw Cancelled();
    const auto left = ceil<milliseconds>(deadline - steady_clock::now()).count();
    const int timeout = static_cast<int>(std::clamp<long long>(left, 0, 60'000));
    const int ready = ::poll(sockets.data(), sockets.size(), timeout);
    if (stop.stop_requested()) throw Cancelled();
    if (ready < 0 && errno != EINTR) throw Error::from_errno(errno, "poll");
    if (ready > 0) return true;
    if (left <= 0) return false;
  }
}

bool Patience::wait(int socket, short events, const std::stop_token& stop) {
  using std::chrono::steady_clock;
  pollfd entry{.fd = socket, .events = events, .revents = 0};
  const Deadline begin = steady_clock::now();
  const bool ready = wait_ready({&entry, 1}, begin + left_, stop);
  left_ -= std::min(left_, std::chrono::nanoseconds(steady_clock::now() - begin));
  return ready;
}

}  // namespace lade::registry

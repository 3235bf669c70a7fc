// Waiting for a process: its end, signals to be passed on, its terminal.
#pragma once

#include <signal.h>
#include <sys/types.h>

#include <array>
#include <chrono>
#include <optional>

#include "base/context.hpp"
#include "os/unique_fd.hpp"
#include "runtime/runtime.hpp"

namespace lade::runtime {

// While it lives, signals that end or tell a process are kept for take(). Of the calling thread.
class SignalTap {
 public:
  SignalTap();
  ~SignalTap();
  SignalTap(const SignalTap&) = delete;
  SignalTap& operator=(const SignalTap&) = delete;
  int fd() const { return fd_.get(); }
  int take() const;  // 0 if there is none

 private:
  os::UniqueFd fd_;
  sigset_t before_;
};

struct Supervision {
  pid_t pid = 0;
  int pidfd = -1;
  const SignalTap* signals = nullptr;
  int master = -1;  // of the terminal that is connected with `standard`
  std::array<int, 3> standard{0, 1, 2};
  int stop_signal = 15;
  std::chrono::milliseconds stop_grace{0};
};

// Until the process, a child of this one, has ended; reaps it. When the context is stopped: the signal, after
// the grace period SIGKILL, then Cancelled.
ExitStatus supervise(const Context& context, const Supervision& what);

// The master that comes over the socket.
os::UniqueFd receive_master(int socket);

}  // namespace lade::runtime

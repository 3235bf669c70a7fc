// Makes a container's process: clones it, lets it into its cgroup and user namespace, follows it to the point
// where it waits for start or has executed its program.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/context.hpp"
#include "os/unique_fd.hpp"
#include "runtime/child.hpp"
#include "runtime/host.hpp"
#include "runtime/plan.hpp"
#include "runtime/runtime.hpp"

namespace lade::runtime {

struct LaunchRequest {
  const Plan* plan = nullptr;
  const Host* host = nullptr;
  const Process* process = nullptr;  // nullptr: only waits
  std::optional<Personality> personality{};
  const Seccomp* seccomp = nullptr;
  std::filesystem::path filter_cache{};
  Streams streams{};
  int console_fd = -1;  // borrowed; connected
  int root_fd = -1;     // borrowed
  bool waits = true;    // for start, by wait_fd; else it executes its program at once
  int wait_fd = -1;     // borrowed; -1: Launched::sync
  int death_signal = 0;
  std::vector<Hook> container_hooks{}, start_hooks{};
  int cgroup_fd = -1;  // borrowed; where the process is to begin, which spares the kernel moving it
  // Called as soon as the process is there and before it does anything. `began`: in cgroup_fd.
  std::function<void(pid_t, bool began)> place{};
  // The state for hooks and for listeners, with a status.
  std::function<std::string(pid_t, const char* status)> state{};
  std::function<void(pid_t)> runtime_hooks{};
};

struct Launched {
  pid_t pid = 0;
  os::UniqueFd pidfd{};
  os::UniqueFd sync{};  // the process's end is closed when it executes its program
};

// Nothing of it runs any more when this throws.
Launched launch(const Context& context, const LaunchRequest& request);

// Lets a process go on that waits by Launched::sync; returns when it executes its program.
// Error as of launch() if it could not.
void release(const Context& context, const LaunchRequest& request, Launched& launched);

// Wakes a poll(2) when the context is stopped.
class StopEvent {
 public:
  explicit StopEvent(const Context& context);
  int fd() const { return fd_.get(); }

 private:
  os::UniqueFd fd_;
  std::stop_callback<std::function<void()>> callback_;
};

// Connects to the unix socket at a path of any length.
os::UniqueFd connect_socket(const std::string& path, int type);

}  // namespace lade::runtime

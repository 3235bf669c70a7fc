// Performs a plan in the container's first process. What runs there was copied by clone(2) from a program
// that may have had other threads: nothing here allocates, throws, or calls what is not async-signal-safe.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "runtime/plan.hpp"

namespace lade::runtime {

// A hook as execve(2) takes it; refers to the Hook.
struct HookCommand {
  const char* path = nullptr;
  std::vector<char*> arguments{}, environment{};  // end with nullptr
  int timeout_ms = -1;
};
HookCommand make_hook_command(const Hook& hook);

// All signals as a new program finds them: default actions, none blocked. Async-signal-safe.
void reset_signals();

// Everything that the child needs, made before it is cloned. All descriptors are above those that it gets as
// its own.
struct ChildWork {
  const Plan* plan = nullptr;
  std::vector<int> join_fds{}, source_fds{};
  int sync_fd = -1;            // SOCK_SEQPACKET of ChildMessage; bytes come back
  int parent_fd = -1;          // its other end, which only the runtime may hold: so its end is seen
  int proc_fd = -1;            // /proc of the host
  int root_fd = -1;            // of a running container that is joined
  int console_fd = -1;         // a socket for the terminal's master
  int wait_fd = -1;            // a byte comes when the container is started
  std::vector<int> own_fds{};  // become 0, 1, 2, 3, ...
  std::vector<HookCommand> container_hooks{}, start_hooks{};
  // Shared with the runtime, which writes the state for hooks before it lets the child go on; NUL at the end.
  const char* hook_state = nullptr;
  // The ELF file of the tail and where in it the path to execute stands.
  std::vector<std::byte> program{};
  std::size_t path_position = 0;
  std::vector<std::uint64_t> candidates{};  // addresses of paths
  std::uint64_t clone_flags = 0;            // of the process after the one in between
};

// In the cloned process; never returns. `intermediate`: it makes the container's process and ends.
[[noreturn]] void run_child(ChildWork& work, bool intermediate);

// Reasons beyond errno, in ChildMessage::error.
enum ChildFault : int {
  fault_link = 1001,         // a symbolic link where none may be
  fault_device,              // a file that is not the device
  fault_outside,             // the working directory is outside of the root
  fault_proc,                // a mount inside of /proc that would mislead
  fault_mask,                // what is masked can still be seen
  fault_hook_status,         // + exit status
  fault_hook_signal = 1301,  // + signal
  fault_hook_timeout = 1401,
  fault_gone,  // the runtime has ended
};
std::string describe_fault(int error);

// Runs a hook with `state` on its standard input; 0, an errno or a fault. Async-signal-safe.
int run_hook(const HookCommand& hook, const char* state);

// As fork(2), without what glibc does besides. `flags` of clone3(2); `pidfd` may be nullptr; `cgroup_fd` is of
// the v2 directory to begin in, or -1. The negative errno of a failure.
pid_t raw_clone(std::uint64_t flags, int* pidfd, int cgroup_fd = -1);

}  // namespace lade::runtime

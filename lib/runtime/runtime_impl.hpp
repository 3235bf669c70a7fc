// What the commands of a Runtime share.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "os/lock_file.hpp"
#include "runtime/launch.hpp"
#include "runtime/record.hpp"
#include "runtime/runtime.hpp"
#include "runtime/supervise.hpp"

namespace lade::runtime {

// Kind::not_found "container `x` does not exist".
Record find_record(const StateDirectory& states, const std::string& id);

// The state for hooks.
std::string hook_state(const Record& record, pid_t pid, const char* status);

// The terminal's way out of the container: to `console_socket`, or to this process.
struct ConsoleEnds {
  os::UniqueFd child{}, own{};  // own: a master comes over it
};
ConsoleEnds open_console(bool terminal, const std::filesystem::path& console_socket);

void write_pid_file(const std::filesystem::path& path, pid_t pid);

// Runs those of poststart and poststop: failures are warnings.
void run_lenient_hooks(const Context& context, const std::vector<Hook>& hooks, const char* name,
                       const std::string& state);

// Ends its processes and takes away its cgroups and mounts.
void end_container(const Record& record);

// Ends what is left of the container and takes away all that was made for it.
void destroy(const Context& context, const StateDirectory& states, const Record& record);

// A container between create() and start(), of this process.
struct CreatedContainer {
  Record record{};
  Plan plan{};
  Host host{};
  LaunchRequest request{};
  Launched launched{};
  ConsoleEnds console{};
  os::UniqueFd fifo{}, cgroup{};
};

struct CreateMode {
  bool by_fifo = true;     // waits for start() of any process; else by Launched::sync
  bool transient = false;  // of no use without this process
  int death_signal = 0;
};

// `spec` MUST live as long as the result.
std::unique_ptr<CreatedContainer> create_container(const Context& context, const RuntimeOptions& options,
                                                   bool rootless, const std::string& id, const Spec& spec,
                                                   const CreateOptions& create, const CreateMode& mode);

}  // namespace lade::runtime

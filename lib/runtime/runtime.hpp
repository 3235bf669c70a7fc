// Containers by the rules of the OCI runtime specification, done by system calls of this process: no helper
// (but newuidmap and newgidmap where ids need them), no re-execution, no polling. Safe in a program with
// threads.
#pragma once

#include <sys/types.h>

#include <array>
#include <chrono>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/context.hpp"
#include "os/unique_fd.hpp"
#include "runtime/spec.hpp"

namespace lade::runtime {

// How a process ended.
struct ExitStatus {
  int code = 0;    // exit status, if signal is 0
  int signal = 0;  // that ended it

  int shell_status() const { return signal != 0 ? 128 + signal : code; }
};

enum class CgroupManager { cgroupfs, disabled };

struct RuntimeOptions {
  std::filesystem::path root{};  // directory of the states; "" for default_root()
  CgroupManager cgroup_manager = CgroupManager::cgroupfs;
  // Limits that cannot be set are warnings instead of errors. nullopt: where this process is not root in the
  // host's user namespace.
  std::optional<bool> rootless{};
};

// /run/lade-runtime for root of the host's user namespace, $XDG_RUNTIME_DIR/lade-runtime for others
// (`runtime_dir` is the variable's value; "" falls back to /run/user/UID or /tmp/lade-runtime-UID).
std::filesystem::path default_root(const std::string& runtime_dir);

// Where the process' standard streams and further descriptors come from. Descriptors are borrowed.
struct Streams {
  std::array<int, 3> standard{0, 1, 2};
  unsigned preserve_fds = 0;       // this process' descriptors 3 ... 2 + n stay open under the same numbers
  std::vector<int> descriptors{};  // or, in-process: these become 3, 4, ... of the container
};

struct CreateOptions {
  std::filesystem::path
      bundle{};  // directory that relative paths are of; part of the state. MUST be absolute.
  Streams streams{};
  // With process.terminal: a listening unix socket that is sent the terminal's master (SCM_RIGHTS). run()
  // without it connects the terminal with the standard streams itself.
  std::filesystem::path console_socket{};
  std::filesystem::path pid_file{};  // "" for none
  bool no_pivot = false;             // MS_MOVE and chroot(2), for a root on an initramfs
  bool no_new_keyring = false;
};

struct RunOptions : CreateOptions {
  bool keep = false;             // the stopped container stays until remove()
  bool detach = false;           // return once it runs; ExitStatus{} then
  bool forward_signals = false;  // those that reach this process go to the container's. Takes the whole
                                 // process' signals while it runs: for programs without other threads.
  bool die_with_parent = false;  // SIGKILL to the container's process when the thread that calls run() ends
  // When the context is stopped: this signal, and SIGKILL after the grace period; then Cancelled is thrown.
  int stop_signal = 15;
  std::chrono::milliseconds stop_grace{2000};
};

enum class Status { creating, created, running, stopped, paused };
std::string_view to_string(Status status);

// What `state` tells, and `list` for each.
struct State {
  std::string oci_version{}, id{};
  Status status = Status::stopped;
  pid_t pid = 0;  // 0 once stopped
  std::string bundle{}, rootfs{}, owner{};
  std::string created{};  // RFC 3339, UTC
  std::map<std::string, std::string> annotations{};
};
spec::Json to_json(const State& state);

struct ExecOptions {
  Streams streams{};
  std::filesystem::path console_socket{}, pid_file{};
  bool detach = false;
  bool forward_signals = false;
  std::string cgroup{};  // below the container's own; "" for that
  bool no_new_keyring = false;
};

class Runtime {
 public:
  // Nothing is touched before it is needed. The context must outlive it.
  Runtime(const Context& context, RuntimeOptions options);

  // The container is set up, its process waits for start(). Nothing of it remains when this throws.
  // Kind::already_exists for an id in use; Kind::invalid_input, unsupported or denied for what the
  // configuration asks and this host does not give, with the member's name.
  // Kind::not_found "executable file `x` not found" / Kind::denied if its program cannot be executed.
  void create(const std::string& id, const Spec& spec, const CreateOptions& options);
  void start(const std::string& id);
  // create, start, wait, remove. The id may be anything that is not in use.
  ExitStatus run(const std::string& id, const Spec& spec, const RunOptions& options);

  // Kind::not_found "container `x` does not exist".
  State state(const std::string& id) const;
  std::vector<State> list() const;  // in the order of ids
  // Ids of processes in the container, as this process sees them.
  std::vector<pid_t> processes(const std::string& id) const;
  Spec spec_of(const std::string& id) const;

  // Kind::invalid_input if it is not created, running or paused. `all`: every process of it.
  void kill(const std::string& id, int signal, bool all = false);
  // Removes its state, cgroup and, with `force`, what is left of it; without, it MUST be stopped. With force
  // no error if it does not exist.
  void remove(const std::string& id, bool force = false);
  void pause(const std::string& id);
  void resume(const std::string& id);
  void update(const std::string& id, const Resources& resources);

  // A further process in a running container. Its exit status, ExitStatus{} with `detach`.
  // `process` is complete: nothing is taken from the container's own.
  ExitStatus exec(const std::string& id, const Process& process, const ExecOptions& options);

 private:
  Context context_;
  RuntimeOptions options_;
  bool rootless_;
};

// config.json of a bundle.
Spec load_spec(const std::filesystem::path& bundle);

// "3", "KILL" or "SIGKILL", any case. Kind::invalid_input for others.
int parse_signal(std::string_view word);

// What this build can do: the document of `features` (features.md of the specification).
spec::Json features();

}  // namespace lade::runtime

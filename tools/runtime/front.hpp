// What the commands share: global options, where the log goes, how an error ends.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "common/command.hpp"
#include "os/unique_fd.hpp"
#include "runtime/runtime.hpp"

namespace lade::runtime_tool {

inline constexpr int exit_error = 1;
inline constexpr int exit_cannot_execute = 126, exit_not_found = 127;

// Lines as runc and crun write them, to --log, or to standard error without it.
class RuntimeLogger final : public Logger {
 public:
  enum class Format { text, json };
  // `file` "" for standard error.
  RuntimeLogger(const std::string& file, Format format, Level threshold);

  bool enabled(Level level) const noexcept override { return level >= threshold_; }
  void log(Level level, std::string_view message) noexcept override;
  bool to_file() const { return file_.is_open(); }

 private:
  os::UniqueFd file_;
  Format format_;
  Level threshold_;
};

// Of one run of a command.
struct Session {
  common::Invocation& invocation;
  RuntimeLogger& logger;
  Context context;
  runtime::Runtime runtime;

  const common::Flags& flags() const { return invocation.flags; }
  // The container's id: the first argument. Kind::invalid_input where there is none, or more than `most`.
  std::string id(std::size_t most = 1) const;
};

std::vector<common::Option> global_options();

// Runs a command; an error goes to the log and to standard error, and is exit_error.
int run_session(common::Invocation& invocation, const std::function<int(Session&)>& command);
// The same for commands whose status is that of a process: 126 and 127 where it cannot be executed.
int run_process_session(common::Invocation& invocation, const std::function<int(Session&)>& command);

int report_failure(const common::Failure& failure);

// An absolute path of a directory or file that the command line names.
std::string absolute_path(const std::string& path);

// --preserve-fds, --console-socket and --pid-file, where a process is made.
std::vector<common::Option> process_options();

// LISTEN_FDS of this process: as many descriptors more, and what the container's process has to know.
unsigned pass_listen_fds(std::vector<std::string>& environment);

}  // namespace lade::runtime_tool

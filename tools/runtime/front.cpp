#include "runtime/front.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <charconv>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <optional>

#include "spec/json.hpp"
#include "spec/time.hpp"

namespace lade::runtime_tool {
namespace {

using common::Flags;
using common::Invocation;
using common::Option;
using common::ValueKind;

std::string_view level_name(Level level) {
  switch (level) {
    case Level::debug: return "debug";
    case Level::info: return "info";
    case Level::warning: return "warning";
    case Level::error: return "error";
  }
  return "error";
}

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

RuntimeLogger::Format log_format(const Flags& flags) {
  const std::string word = flags.find_text("log-format").value_or("text");
  if (word == "json") return RuntimeLogger::Format::json;
  if (word != "text") throw Error(Kind::invalid_input, "unknown log format " + word);
  return RuntimeLogger::Format::text;
}

runtime::RuntimeOptions runtime_options(const Flags& flags) {
  runtime::RuntimeOptions options;
  options.root = flags.find_text("root") ? absolute_path(flags.text("root")) : "";
  if (options.root.empty()) options.root = runtime::default_root(variable("XDG_RUNTIME_DIR"));
  const std::string manager = flags.find_text("cgroup-manager").value_or("cgroupfs");
  if (flags.flag("systemd-cgroup") || manager == "systemd")
    throw Error(Kind::unsupported,
                "cgroups of systemd are not available in lade: use those of the file system (cgroupfs)");
  if (manager == "disabled")
    options.cgroup_manager = runtime::CgroupManager::disabled;
  else if (manager != "cgroupfs")
    throw Error(Kind::invalid_input, "unknown cgroup manager " + manager);
  const std::string rootless = flags.find_text("rootless").value_or("auto");
  if (rootless != "auto") {
    if (rootless != "true" && rootless != "false")
      throw Error(Kind::invalid_input, "--rootless is true, false or auto");
    options.rootless = rootless == "true";
  }
  return options;
}

void say_error(std::string_view text) {
  common::write_best_effort(2, fmt::format("lade-runtime: {}\n", text));
}

int run_logged(Invocation& invocation, bool of_process, const std::function<int(Session&)>& command) {
  const Flags& flags = invocation.flags;
  std::optional<RuntimeLogger> logger;
  try {
    logger.emplace(flags.text("log"), log_format(flags), flags.flag("debug") ? Level::debug : Level::warning);
    const Context context{{}, *logger, invocation.context.progress, invocation.context.clock};
    Session session{invocation, *logger, context, runtime::Runtime(context, runtime_options(flags))};
    return command(session);
  } catch (const Error& error) {
    if (logger && logger->to_file()) logger->log(Level::error, error.what());
    say_error(error.what());
    const std::string_view text = error.what();
    const bool missing = error.kind() == Kind::not_found && text.find("executable") != std::string_view::npos;
    const bool denied = error.kind() == Kind::denied && text.find("execut") != std::string_view::npos;
    if (of_process && missing) return exit_not_found;
    if (of_process && denied) return exit_cannot_execute;
    return exit_error;
  }
}

}  // namespace

RuntimeLogger::RuntimeLogger(const std::string& file, Format format, Level threshold)
    : format_(format), threshold_(threshold) {
  if (!file.empty()) file_ = os::open_file(file, O_WRONLY | O_CREAT | O_APPEND, 0644);
}

void RuntimeLogger::log(Level level, std::string_view message) noexcept {
  if (!enabled(level)) return;
  try {
    std::string line;
    if (format_ == Format::json) {
      line = spec::dump_json({{"level", level_name(level)}, {"msg", message}, {"time", spec::format_time(std::time(nullptr))}}) + "\n";
    } else {
      line = fmt::format("time=\"{}\" level={} msg={}\n", spec::format_time(std::time(nullptr)), level_name(level),
                         spec::dump_json(spec::Json(message)));
    }
    common::write_best_effort(file_.is_open() ? file_.get() : 2, line);
  } catch (const std::exception&) {
    common::write_best_effort(2, "lade-runtime: a line of the log was lost\n");
  }
}

std::string Session::id(std::size_t most) const {
  const auto& arguments = invocation.arguments;
  if (arguments.empty()) invocation.refuse_usage("the container's id is missing");
  if (arguments.size() > most) invocation.refuse_usage("too many arguments");
  return arguments.front();
}

std::vector<Option> global_options() {
  return {
      {.name = "root",
       .kind = ValueKind::text,
       .value_name = "DIR",
       .help = "directory of the containers' states"},
      {.name = "log",
       .kind = ValueKind::text,
       .value_name = "FILE",
       .help = "where warnings and errors are written"},
      {.name = "log-format",
       .kind = ValueKind::text,
       .value_name = "FORMAT",
       .help = "of the log: text or json",
       .choices = {"text", "json"}},
      {.name = "cgroup-manager",
       .kind = ValueKind::text,
       .value_name = "MANAGER",
       .help = "cgroupfs or disabled",
       .choices = {"cgroupfs", "disabled"}},
      {.name = "systemd-cgroup", .help = "cgroups of systemd: not available in lade"},
      {.name = "rootless",
       .kind = ValueKind::text,
       .value_name = "BOOL",
       .help = "whether limits that cannot be set are only warned of: true, false or auto",
       .choices = {"true", "false", "auto"},
       .bare = "true"},
  };
}

int run_session(Invocation& invocation, const std::function<int(Session&)>& command) {
  return run_logged(invocation, false, command);
}

int run_process_session(Invocation& invocation, const std::function<int(Session&)>& command) {
  return run_logged(invocation, true, command);
}

int report_failure(const common::Failure& failure) {
  say_error(failure.error.what());
  return exit_error;
}

std::string absolute_path(const std::string& path) {
  return std::filesystem::absolute(path).lexically_normal().string();
}

std::vector<Option> process_options() {
  return {{.name = "console-socket",
           .kind = ValueKind::text,
           .value_name = "SOCKET",
           .help = "unix socket that is sent the terminal's master"},
          {.name = "pid-file",
           .kind = ValueKind::text,
           .value_name = "FILE",
           .help = "where the process' id is written"},
          {.name = "preserve-fds",
           .kind = ValueKind::unsigned_integer,
           .value_name = "N",
           .help = "pass on as many descriptors more, from 3"},
          {.name = "no-new-keyring", .help = "keep the session keyring"}};
}

unsigned pass_listen_fds(std::vector<std::string>& environment) {
  const std::string text = variable("LISTEN_FDS");
  unsigned count = 0;
  std::from_chars(text.data(), text.data() + text.size(), count);
  if (count == 0) return 0;
  environment.push_back("LISTEN_FDS=" + text);
  environment.emplace_back("LISTEN_PID=1");
  return count;
}

}  // namespace lade::runtime_tool

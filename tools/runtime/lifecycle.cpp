// create, run, start, kill, delete, pause, resume.
#include <fmt/format.h>

#include <regex>

#include "os/file.hpp"
#include "runtime/commands.hpp"
#include "runtime/front.hpp"

namespace lade::runtime_tool {
namespace {

using common::Command;
using common::Invocation;
using common::Option;
using common::ValueKind;

std::vector<Option> create_options() {
  std::vector<Option> options = {
      {.name = "bundle",
       .short_name = 'b',
       .kind = ValueKind::text,
       .value_name = "DIR",
       .help = "directory of the container (default \".\")"},
      {.name = "config",
       .short_name = 'f',
       .kind = ValueKind::text,
       .value_name = "FILE",
       .help = "in place of the bundle's config.json"},
      {.name = "no-pivot", .help = "use chroot instead of pivot_root, for a root in memory"},
      {.name = "no-subreaper", .help = "has no effect: no process is left to adopt others"}};
  common::append(options, process_options());
  return options;
}

std::vector<Option> run_options() {
  std::vector<Option> options = create_options();
  options.push_back({.name = "detach", .short_name = 'd', .help = "return as soon as the container runs"});
  options.push_back({.name = "keep", .help = "keep the container's state when it has stopped"});
  return options;
}

runtime::Spec read_spec(const Session& session, const std::string& bundle) {
  const auto file = session.flags().find_text("config");
  if (!file) return runtime::load_spec(bundle);
  return in_context("reading " + *file,
                    [&] { return runtime::parse_spec(os::read_file(*file, runtime::max_spec_size)); });
}

void read_create_options(const Session& session, runtime::Spec& spec, runtime::CreateOptions& options) {
  const auto& flags = session.flags();
  const auto path = [&](const char* name) {
    return flags.find_text(name) ? absolute_path(flags.text(name)) : "";
  };
  options.console_socket = path("console-socket");
  options.pid_file = path("pid-file");
  options.no_pivot = flags.flag("no-pivot");
  options.no_new_keyring = flags.flag("no-new-keyring");
  std::vector<std::string> none;
  options.streams.preserve_fds = static_cast<unsigned>(flags.find_unsigned("preserve-fds").value_or(0)) +
                                 pass_listen_fds(spec.process ? spec.process->env : none);
}

int run_create(Invocation& invocation) {
  return run_session(invocation, [](Session& session) {
    runtime::CreateOptions options;
    const std::string id = session.id();
    options.bundle = absolute_path(session.flags().find_text("bundle").value_or("."));
    auto spec = read_spec(session, options.bundle);
    read_create_options(session, spec, options);
    session.runtime.create(id, spec, options);
    return 0;
  });
}

int run_run(Invocation& invocation) {
  return run_process_session(invocation, [](Session& session) {
    runtime::RunOptions options;
    const std::string id = session.id();
    options.bundle = absolute_path(session.flags().find_text("bundle").value_or("."));
    auto spec = read_spec(session, options.bundle);
    read_create_options(session, spec, options);
    options.detach = session.flags().flag("detach");
    options.keep = session.flags().flag("keep");
    options.forward_signals = true;
    if (options.detach && spec.process && spec.process->terminal && options.console_socket.empty())
      throw Error(Kind::invalid_input, "cannot allocate a terminal in the background: use --console-socket");
    return session.runtime.run(id, spec, options).shell_status();
  });
}

int run_start(Invocation& invocation) {
  return run_session(invocation, [](Session& session) {
    session.runtime.start(session.id());
    return 0;
  });
}

std::vector<Option> kill_options() {
  return {{.name = "all", .short_name = 'a', .help = "every process of the container"},
          {.name = "regex", .short_name = 'r', .help = "CONTAINER is a regular expression for ids"}};
}

// Those that an argument means, by --regex.
std::vector<std::string> meant_ids(const Session& session, const std::string& argument) {
  if (!session.flags().flag("regex")) return {argument};
  std::vector<std::string> ids;
  try {
    const std::regex pattern(argument, std::regex::extended);
    for (const runtime::State& state : session.runtime.list()) {
      if (std::regex_search(state.id, pattern)) ids.push_back(state.id);
    }
  } catch (const std::regex_error&) {
    throw Error(Kind::invalid_input, "not a regular expression: " + argument);
  }
  return ids;
}

int run_kill(Invocation& invocation) {
  return run_session(invocation, [](Session& session) {
    const std::string argument = session.id(2);
    const auto& arguments = session.invocation.arguments;
    const int signal = runtime::parse_signal(arguments.size() > 1 ? arguments[1] : "TERM");
    for (const std::string& id : meant_ids(session, argument))
      session.runtime.kill(id, signal, session.flags().flag("all"));
    return 0;
  });
}

std::vector<Option> delete_options() {
  return {{.name = "force", .short_name = 'f', .help = "end it first if it runs"},
          {.name = "regex", .short_name = 'r', .help = "CONTAINER is a regular expression for ids"}};
}

int run_delete(Invocation& invocation) {
  return run_session(invocation, [](Session& session) {
    const std::string argument = session.id();
    for (const std::string& id : meant_ids(session, argument))
      session.runtime.remove(id, session.flags().flag("force"));
    return 0;
  });
}

int run_pause(Invocation& invocation) {
  return run_session(invocation, [](Session& session) {
    session.runtime.pause(session.id());
    return 0;
  });
}

int run_resume(Invocation& invocation) {
  return run_session(invocation, [](Session& session) {
    session.runtime.resume(session.id());
    return 0;
  });
}

}  // namespace

const Command create_command = {
    .name = "create",
    .summary = "Create a container",
    .description = "Sets a container up from its bundle. Its process waits for start.",
    .synopsis = "[options] CONTAINER",
    .example = "create --bundle /tmp/bundle c1",
    .options = create_options,
    .run = run_create};
const Command run_command = {.name = "run",
                             .summary = "Create and start a container",
                             .description =
                                 "Creates a container, starts it, waits for its end and removes it. The exit "
                                 "status is that of its process.",
                             .synopsis = "[options] CONTAINER",
                             .example = "run --bundle /tmp/bundle c1",
                             .options = run_options,
                             .run = run_run};
const Command start_command = {.name = "start",
                               .summary = "Start a created container",
                               .description = "Executes the program of a container that was created.",
                               .synopsis = "CONTAINER",
                               .example = "start c1",
                               .run = run_start};
const Command kill_command = {.name = "kill",
                              .summary = "Send a signal to a container",
                              .description = "Sends SIGTERM or the signal to the container's first process.",
                              .synopsis = "[options] CONTAINER [SIGNAL]",
                              .example = "kill c1 KILL",
                              .options = kill_options,
                              .run = run_kill};
const Command delete_command = {.name = "delete",
                                .summary = "Remove a stopped container",
                                .description = "Removes what create made.",
                                .synopsis = "[options] CONTAINER",
                                .example = "delete --force c1",
                                .options = delete_options,
                                .run = run_delete};
const Command pause_command = {.name = "pause",
                               .summary = "Stop all processes of a container for a while",
                               .description = "Freezes the container's cgroup.",
                               .synopsis = "CONTAINER",
                               .example = "pause c1",
                               .run = run_pause};
const Command resume_command = {.name = "resume",
                                .summary = "Let a paused container go on",
                                .description = "Thaws the container's cgroup.",
                                .synopsis = "CONTAINER",
                                .example = "resume c1",
                                .run = run_resume};

}  // namespace lade::runtime_tool

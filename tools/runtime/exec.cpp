// exec.
#include <fmt/format.h>

#include <charconv>

#include "os/file.hpp"
#include "runtime/commands.hpp"
#include "runtime/front.hpp"

namespace lade::runtime_tool {
namespace {

using common::Command;
using common::Invocation;
using common::Option;
using common::ValueKind;

std::vector<Option> exec_options() {
  std::vector<Option> options = {
      {.name = "process",
       .short_name = 'p',
       .kind = ValueKind::text,
       .value_name = "FILE",
       .help = "the process as JSON, in place of CMD"},
      {.name = "detach", .short_name = 'd', .help = "do not wait for its end"},
      {.name = "tty", .short_name = 't', .help = "with a terminal"},
      {.name = "user",
       .short_name = 'u',
       .kind = ValueKind::text,
       .value_name = "UID[:GID]",
       .help = "as this user"},
      {.name = "additional-gids",
       .short_name = 'g',
       .kind = ValueKind::list,
       .value_name = "GID",
       .help = "further groups"},
      {.name = "cwd", .kind = ValueKind::text, .value_name = "DIR", .help = "working directory"},
      {.name = "env",
       .short_name = 'e',
       .kind = ValueKind::texts,
       .value_name = "NAME=VALUE",
       .help = "variable of the environment"},
      {.name = "cap",
       .short_name = 'c',
       .kind = ValueKind::list,
       .value_name = "CAP",
       .help = "capability that it has besides"},
      {.name = "no-new-privs", .help = "gains no privileges by executing programs"},
      {.name = "apparmor", .kind = ValueKind::text, .value_name = "PROFILE", .help = "profile of AppArmor"},
      {.name = "process-label", .kind = ValueKind::text, .value_name = "LABEL", .help = "label of SELinux"},
      {.name = "cgroup",
       .kind = ValueKind::text,
       .value_name = "PATH",
       .help = "cgroup below the container's"}};
  common::append(options, process_options());
  return options;
}

std::uint32_t parse_exec_id(std::string_view text, std::string_view what) {
  std::uint32_t id = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), id);
  if (error != std::errc() || end != text.data() + text.size() || text.empty())
    throw Error(Kind::invalid_input, fmt::format("{}: {} is not a number", what, text));
  return id;
}

void add_capability(runtime::Process& process, const std::string& name) {
  auto& sets = process.capabilities ? *process.capabilities : process.capabilities.emplace();
  for (auto* set : {&sets.bounding, &sets.effective, &sets.permitted}) {
    if (std::find(set->begin(), set->end(), name) == set->end()) set->push_back(name);
  }
  if (process.user.uid == 0) return;
  sets.inheritable.push_back(name);
  sets.ambient.push_back(name);
}

// That of the container with what the options change.
runtime::Process process_of(const Session& session, const std::string& id) {
  const auto& flags = session.flags();
  if (const auto file = flags.find_text("process")) {
    runtime::Process process = in_context("reading " + *file, [&] {
      return runtime::parse_process(os::read_file(*file, runtime::max_spec_size));
    });
    if (flags.flag("tty")) process.terminal = true;
    return process;
  }
  const auto& words = session.invocation.arguments;
  if (words.size() < 2) session.invocation.refuse_usage("the command is missing");
  runtime::Process process = session.runtime.spec_of(id).process.value_or(runtime::Process{});
  process.args.assign(words.begin() + 1, words.end());
  process.terminal = flags.flag("tty");
  process.console_size.reset();
  if (const auto user = flags.find_text("user")) {
    const std::size_t colon = user->find(':');
    process.user.uid = parse_exec_id(user->substr(0, colon), "--user");
    if (colon != std::string::npos) process.user.gid = parse_exec_id(user->substr(colon + 1), "--user");
  }
  for (const std::string& gid : flags.list("additional-gids"))
    process.user.additional_gids.push_back(parse_exec_id(gid, "--additional-gids"));
  if (const auto cwd = flags.find_text("cwd")) process.cwd = *cwd;
  for (const std::string& variable : flags.list("env")) process.env.push_back(variable);
  for (const std::string& name : flags.list("cap")) add_capability(process, name);
  if (flags.flag("no-new-privs")) process.no_new_privileges = true;
  if (const auto profile = flags.find_text("apparmor")) process.apparmor_profile = *profile;
  if (const auto label = flags.find_text("process-label")) process.selinux_label = *label;
  return process;
}

int run_exec(Invocation& invocation) {
  return run_process_session(invocation, [](Session& session) {
    const auto& flags = session.flags();
    const std::string id = session.id(session.invocation.arguments.size());
    runtime::Process process = process_of(session, id);
    runtime::ExecOptions options;
    const auto path = [&](const char* name) {
      return flags.find_text(name) ? absolute_path(flags.text(name)) : "";
    };
    options.console_socket = path("console-socket");
    options.pid_file = path("pid-file");
    options.detach = flags.flag("detach");
    options.forward_signals = true;
    options.cgroup = flags.text("cgroup");
    options.no_new_keyring = flags.flag("no-new-keyring");
    options.streams.preserve_fds = static_cast<unsigned>(flags.find_unsigned("preserve-fds").value_or(0));
    return session.runtime.exec(id, process, options).shell_status();
  });
}

}  // namespace

const Command exec_command = {
    .name = "exec",
    .summary = "Run a further process in a container",
    .description = "Runs a command in a running container. The exit status is that of the command.",
    .synopsis = "[options] CONTAINER CMD [ARG...]",
    .example = "exec c1 ps -ef\nexec --process process.json c1",
    .options = exec_options,
    .run = run_exec,
    .runs_program = true};

}  // namespace lade::runtime_tool

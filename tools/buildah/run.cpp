#include "build/run.hpp"
#include "build/step_cache.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>

#include "buildah/commands.hpp"
#include "buildah/container_flags.hpp"
#include "buildah/working.hpp"
#include "engines/transfer.hpp"

namespace lade::buildah {
namespace {

using common::Flags;
using common::Invocation;
using common::Option;
using common::ValueKind;
namespace fs = std::filesystem;

std::vector<Option> run_options() {
  std::vector<Option> options = {
      add_history_option(),
      {.name = "cache", .help = "do not run the command again if nothing that it depends on has changed"},
      {.name = "cap-add",
       .kind = ValueKind::list,
       .value_name = "CAPABILITY",
       .help = "add the specified capability"},
      {.name = "cap-drop",
       .kind = ValueKind::list,
       .value_name = "CAPABILITY",
       .help = "drop the specified capability"},
      {.name = "contextdir",
       .kind = ValueKind::text,
       .value_name = "DIR",
       .help = "context directory path for the sources of mounts"},
      {.name = "device",
       .kind = ValueKind::texts,
       .value_name = "HOST-DEVICE[:DEVICE[:PERMISSIONS]]",
       .help = "additional devices to provide"},
      {.name = "env",
       .short_name = 'e',
       .kind = ValueKind::texts,
       .value_name = "NAME[=VALUE]",
       .help = "add environment variable to be set temporarily when running command"},
      {.name = "hostname", .kind = ValueKind::text, .help = "set the hostname inside of the container"},
      {.name = "isolation",
       .kind = ValueKind::text,
       .help = "type of process isolation to use. Use BUILDAH_ISOLATION environment variable to override",
       .choices = {"oci", "rootless", "chroot"}},
      {.name = "mount",
       .kind = ValueKind::texts,
       .value_name = "type=TYPE,...",
       .help = "attach a filesystem mount to the container: bind, cache or tmpfs"},
      {.name = "no-hostname", .help = "do not override the /etc/hostname file within the container"},
      {.name = "no-hosts", .help = "do not override the /etc/hosts file within the container"},
      {.name = "no-pivot", .help = "do not use pivot root to jail process inside rootfs"},
      {.name = "runtime",
       .kind = ValueKind::text,
       .value_name = "PATH",
       .help = "another OCI runtime. Use BUILDAH_RUNTIME environment variable to override"},
      {.name = "runtime-flag",
       .kind = ValueKind::list,
       .value_name = "FLAG",
       .help = "global flags for that runtime, without dashes"},
      {.name = "terminal",
       .short_name = 't',
       .help = "allocate a pseudo-TTY in the container",
       .aliases = {"tty"}},
      {.name = "user",
       .kind = ValueKind::text,
       .value_name = "USER[:GROUP]",
       .help = "user to run the command as"},
      {.name = "volume",
       .short_name = 'v',
       .kind = ValueKind::texts,
       .value_name = "SOURCE:DESTINATION[:OPTIONS]",
       .help = "bind mount a host location into the container while running the command"},
      {.name = "workingdir",
       .kind = ValueKind::text,
       .value_name = "DIR",
       .help = "temporarily set working directory for command"},
  };
  common::append(options, namespace_options());
  common::append(options, engines::idle_options(
                              {{"cni-config-dir", ValueKind::text}, {"cni-plugin-path", ValueKind::text}}));
  common::append(options, engines::unavailable_options({{"cdi-config-dir", ValueKind::text}},
                                                       "it is not available in lade yet"));
  return options;
}

// "NAME" is the caller's, "NAME*" all that begin so.
std::vector<std::string> environment_of(WorkSession& session) {
  std::vector<std::string> result;
  const auto& own = session.session().environment().variables;
  for (const auto& entry : session.invocation().flags.list("env")) {
    if (entry.find('=') != std::string::npos) {
      result.push_back(entry);
    } else if (entry.ends_with('*')) {
      const std::string prefix = entry.substr(0, entry.size() - 1);
      for (const auto& [name, value] : own)
        if (name.starts_with(prefix)) result.push_back(fmt::format("{}={}", name, value));
    } else if (const auto found = own.find(entry); found != own.end()) {
      result.push_back(fmt::format("{}={}", entry, found->second));
    }
  }
  return result;
}

bool is_terminal_wanted(const Flags& flags) {
  if (const auto given = flags.find_flag("terminal")) return *given;
  return ::isatty(0) == 1 && ::isatty(1) == 1 && ::isatty(2) == 1;
}

std::vector<build::VolumeMount> mounts_of(WorkSession& session) {
  const Flags& flags = session.invocation().flags;
  std::vector<build::VolumeMount> result;
  for (const auto& text : flags.list("volume")) result.push_back(build::parse_volume(text));
  const std::string context_directory = flags.text("contextdir");
  for (const auto& text : flags.list("mount"))
    result.push_back(
        build::parse_mount(text, context_directory.empty() ? fs::path() : fs::absolute(context_directory),
                           flags.text("workingdir")));
  // Images by the names that people type.
  for (auto& mount : result)
    if (!mount.from.empty() && !session.builders().find(mount.from))
      mount.from = engines::pull_images(session, mount.from, "missing").front();
  return result;
}

build::RunOptions options_of(WorkSession& session) {
  const Flags& flags = session.invocation().flags;
  build::RunOptions options;
  options.env = environment_of(session);
  options.user = flags.text("user");
  options.working_directory = flags.text("workingdir");
  options.hostname = flags.text("hostname");
  options.isolation = build::parse_isolation(
      flags.given("isolation") ? flags.text("isolation") : session.environment("BUILDAH_ISOLATION"));
  const auto namespaces = namespace_flags(flags);
  options.namespaces = namespaces.options;
  options.no_network = namespaces.network == NetworkPolicy::disabled;
  options.add_capabilities = flags.list("cap-add");
  options.drop_capabilities = flags.list("cap-drop");
  options.devices = flags.list("device");
  options.mounts = mounts_of(session);
  options.no_hostname = flags.flag("no-hostname");
  options.no_hosts = flags.flag("no-hosts");
  options.no_pivot = flags.flag("no-pivot") || !session.environment("BUILDAH_NOPIVOT").empty() ||
                     session.containers_conf().no_pivot_root;
  options.terminal = is_terminal_wanted(flags);
  options.runtime = flags.find_text("runtime").value_or(session.environment("BUILDAH_RUNTIME"));
  for (const auto& flag : flags.list("runtime-flag")) options.runtime_flags.push_back("--" + flag);
  options.cgroup_manager =
      flags.find_text("cgroup-manager").value_or(session.containers_conf().cgroup_manager);
  if (flags.given("network") && options.isolation == build::Isolation::chroot)
    for (const auto& option : options.namespaces)
      if (option.name == "network" && !option.host)
        throw Error(
            Kind::invalid_input,
            fmt::format("cannot set --network other than host with --isolation {}", flags.text("isolation")));
  return options;
}

// What was kept when the container was made: --network none of `from`.
void take_network_of(const build::Builder& builder, const Flags& flags, build::RunOptions& options) {
  const auto* policy = spec::find_member(builder.document(), "ConfigureNetwork");
  const bool disabled = policy != nullptr && policy->is_number_integer() &&
                        policy->get<int>() == static_cast<int>(NetworkPolicy::disabled);
  if (!flags.given("network") && disabled) options.no_network = true;
}

int run_run(Invocation& invocation) {
  std::vector<std::string> arguments = invocation.arguments;
  if (arguments.empty()) throw Error(Kind::invalid_input, "container ID must be specified");
  const std::string name = arguments.front();
  arguments.erase(arguments.begin());
  if (!arguments.empty() && arguments.front() == "--") arguments.erase(arguments.begin());
  if (arguments.empty()) throw Error(Kind::invalid_input, "command must be specified");
  WorkSession session(invocation);
  auto builder = session.open(name);
  auto options = options_of(session);
  take_network_of(builder, invocation.flags, options);
  options.command = arguments;
  const auto run = invocation.flags.flag("cache") ? build::run_cached : build::run_in_container;
  const int status =
      run(session.builders(), builder, options, session.containers_conf(), session.session().environment());
  if (status != 0) return engines::fail(status, fmt::format("while running runtime: exit status {}", status));
  if (wants_history(session)) {
    auto shell = builder.settings().list("Shell");
    if (shell.empty()) shell = {"/bin/sh", "-c"};
    note_history(session, builder, fmt::format("{} {}", fmt::join(shell, " "), fmt::join(arguments, " ")));
    session.builders().save(builder);
  }
  return 0;
}

}  // namespace

const common::Command run_command{
    .name = "run",
    .summary = "Run a command inside of the container",
    .description =
        "Runs a specified command using the container's root filesystem as a root filesystem, using "
        "configuration settings inherited from the container's image or as specified using previous calls "
        "to the config command.",
    .synopsis = "[flags] CONTAINER [--] COMMAND...",
    .example =
        "run containerID -- ps -auxw\nrun --hostname myhost containerID -- ps -auxw\n"
        "run --mount type=bind,target=/build,source=/home/me/build containerID -- make -C /build",
    .options = run_options,
    .run = run_run,
    .runs_program = true};

}  // namespace lade::buildah

#include "buildah/commands.hpp"

#include <fmt/format.h>

#include "common/builtin.hpp"
#include "common/output.hpp"
#include "common/rootless.hpp"
#include "engines/front.hpp"
#include "engines/manifest.hpp"
#include "skopeo/commands.hpp"

namespace lade::buildah {
namespace {

using common::Command;
using common::Option;
using common::Program;
using common::ValueKind;

// Adding a command: its file, its line here; out of `missing` with it.
const Command* const available[] = {
    &add_command,
    &commit_command,
    &config_command,
    &containers_command,
    &copy_command,
    &from_command,
    &images_command,
    &info_command,
    &inspect_command,
    &mount_command,
    &prune_command,
    &rename_command,
    &rm_command,
    &run_command,
    &umount_command,
    &version_command,
    &tag_command,
    &pull_command,
    &push_command,
    &skopeo::login_command,
    &skopeo::logout_command,
    &rmi_command,
    &unshare_command,
    &common::completion_command,
    &common::help_command,
    &common::complete_command,
    &common::man_command,
};

constexpr std::string_view missing[] = {"bud", "build", "build-using-dockerfile", "mkcw", "source"};

std::vector<Option> global_options() {
  std::vector<Option> options = engines::store_options();
  common::append(options, {{.name = "registries-conf",
                            .kind = ValueKind::text,
                            .value_name = "PATH",
                            .help = "path to the registries.conf file"},
                           {.name = "registries-conf-dir",
                            .kind = ValueKind::text,
                            .value_name = "DIR",
                            .help = "directory of drop-ins, in place of the others"},
                           {.name = "short-name-alias-conf",
                            .kind = ValueKind::text,
                            .value_name = "PATH",
                            .help = "file of the short names that you have chosen a registry for"}});
  common::append(options, {{.name = "cgroup-manager",
                            .kind = ValueKind::text,
                            .help = "cgroups of `run`; systemd counts as cgroupfs",
                            .choices = {"cgroupfs", "disabled", "systemd"}}});
  common::append(options, engines::idle_options({{"default-mounts-file", ValueKind::text}}));
  common::append(options, engines::unavailable_options(
                              {{"userns-uid-map", ValueKind::list}, {"userns-gid-map", ValueKind::list}},
                              "give ID maps to `from`"));
  common::append(options, engines::unavailable_options({{"transient-store", ValueKind::boolean},
                                                        {"cpu-profile", ValueKind::text},
                                                        {"memory-profile", ValueKind::text}},
                                                       "it is not available in lade yet"));
  return options;
}

std::string unknown_command(const Program& program, std::string_view group, const std::string& word) {
  std::vector<std::string> names;
  for (const Command* command : program.commands)
    if (!command->name.starts_with("__")) names.emplace_back(command->name);
  std::string hint = engines::suggestion_lines(word, names);
  if (!hint.empty()) hint = "\n\n" + hint;
  return fmt::format("unknown command \"{}\" for \"{}\"{}", word, engines::command_path(program, group),
                     hint);
}

int report(const common::Failure& failure) {
  return engines::fail(engines::exit_engine_error, failure.error.what());
}

}  // namespace

Program program(std::string name, std::string version_line) {
  static const std::vector<Command> absent = [] {
    std::vector<Command> list;
    for (const std::string_view word : missing) list.push_back(engines::missing_command(word));
    return list;
  }();
  static const std::vector<const Command*> commands = [] {
    std::vector<const Command*> list(std::begin(available), std::end(available));
    const auto manifest = engines::manifest_commands(engines::Grammar::buildah);
    list.insert(list.end(), manifest.begin(), manifest.end());
    for (const Command& command : absent) list.push_back(&command);
    return list;
  }();
  return {.name = std::move(name),
          .summary = "A tool that facilitates building OCI images",
          .version_line = std::move(version_line),
          .user_agent = "lade/" LADE_VERSION,
          .options = global_options,
          .commands = commands,
          .report = report,
          .unknown_command = unknown_command,
          .threshold = engines::log_threshold,
          .enter_namespace = [](const common::Request& request, const Context& context) {
            common::enter_namespace(request, context, engines::needs_namespace, false);
          }};
}

}  // namespace lade::buildah

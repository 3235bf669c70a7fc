#include "podman/commands.hpp"

#include <fmt/format.h>

#include "common/builtin.hpp"
#include "common/output.hpp"
#include "common/rootless.hpp"
#include "engines/front.hpp"
#include "skopeo/commands.hpp"

namespace lade::podman {
namespace {

using common::Command;
using common::Option;
using common::Program;
using common::ValueKind;

// Adding a command: its file, its line here; out of missing.cpp with it.
const Command* const available[] = {
    &save_command,
    &image_save_command,
    &load_command,
    &image_load_command,
    &image_prune_command,
    &image_tree_command,
    &image_mount_command,
    &image_unmount_command,
    &unshare_command,
    &skopeo::login_command,
    &skopeo::logout_command,
    &pull_command,
    &image_pull_command,
    &push_command,
    &image_push_command,
    &inspect_command,
    &image_inspect_command,
    &history_command,
    &image_history_command,
    &images_command,
    &image_list_command,
    &image_exists_command,
    &tag_command,
    &image_tag_command,
    &untag_command,
    &image_untag_command,
    &rmi_command,
    &image_rm_command,
    &common::completion_command,
    &common::help_command,
    &common::version_command,
    &common::complete_command,
    &common::man_command,
};

std::vector<Option> global_options() {
  std::vector<Option> options = engines::store_options();
  common::append(options, engines::idle_options({{"cgroup-manager", ValueKind::text},
                                                 {"conmon", ValueKind::text},
                                                 {"events-backend", ValueKind::text},
                                                 {"hooks-dir", ValueKind::list},
                                                 {"cdi-spec-dir", ValueKind::list},
                                                 {"network-cmd-path", ValueKind::text},
                                                 {"network-config-dir", ValueKind::text},
                                                 {"runtime", ValueKind::text},
                                                 {"runtime-flag", ValueKind::list},
                                                 {"volumepath", ValueKind::text},
                                                 {"tmpdir", ValueKind::text}}));
  common::append(options,
                 engines::unavailable_options({{"url", ValueKind::text},
                                               {"connection", ValueKind::text},
                                               {"remote", ValueKind::boolean},
                                               {"identity", ValueKind::text}},
                                              "engines on other machines are not available in lade yet"));
  common::append(options, engines::unavailable_options({{"module", ValueKind::list},
                                                        {"out", ValueKind::text},
                                                        {"noout", ValueKind::boolean},
                                                        {"syslog", ValueKind::boolean},
                                                        {"transient-store", ValueKind::boolean}},
                                                       "it is not available in lade yet"));
  return options;
}

std::string unknown_command(const Program& program, std::string_view group, const std::string& word) {
  std::vector<std::string> names;
  for (const Command* command : program.commands) {
    const bool shown = command->name.find("__") == std::string_view::npos;
    if (shown && group.empty() && command->name.find(' ') == std::string_view::npos)
      names.emplace_back(command->name);
  }
  if (group.empty()) names.emplace_back("image");
  std::string hint = engines::suggestion_lines(word, names);
  if (!hint.empty()) hint = "\n" + hint + "\n";
  const std::string path = engines::command_path(program, group);
  return fmt::format("unrecognized command `{} {}`\n{}Try '{} --help' for more information", path, word, hint,
                     path);
}

std::string missing_command(const Program& program, std::string_view group) {
  return fmt::format("missing command '{} COMMAND'", engines::command_path(program, group));
}

int report(const common::Failure& failure) {
  const std::string_view text = failure.error.what();
  if (text.starts_with("Log Level ")) {
    common::write_best_effort(2, fmt::format("{}\n", text));
    return 1;
  }
  engines::fail(0, text);
  if (failure.of_flags) {
    common::write_best_effort(
        2, fmt::format("See '{} --help'\n", engines::command_path(failure.program, failure.command)));
  }
  return engines::exit_engine_error;
}

}  // namespace

Program program(std::string name, std::string version_line) {
  static const std::vector<const Command*> commands = [] {
    std::vector<const Command*> list(std::begin(available), std::end(available));
    list.insert(list.end(), missing_commands().begin(), missing_commands().end());
    return list;
  }();
  return {.name = std::move(name),
          .summary = "Manage pods, containers and images",
          .version_line = std::move(version_line),
          .user_agent = "lade/" LADE_VERSION,
          .options = global_options,
          .commands = commands,
          .report = report,
          .unknown_command = unknown_command,
          .missing_command = missing_command,
          .threshold = engines::log_threshold,
          .enter_namespace = [](const common::Request& request, const Context& context) {
            common::enter_namespace(request, context, engines::needs_namespace, true);
          }};
}

}  // namespace lade::podman

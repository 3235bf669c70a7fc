#include "runtime/commands.hpp"

#include <fmt/format.h>

#include "common/builtin.hpp"
#include "runtime/front.hpp"
#include "runtime/spec.hpp"

namespace lade::runtime_tool {
namespace {

const common::Command* const commands[] = {
    &create_command,
    &start_command,
    &run_command,
    &state_command,
    &kill_command,
    &delete_command,
    &exec_command,
    &ps_command,
    &list_command,
    &pause_command,
    &resume_command,
    &update_command,
    &spec_command,
    &features_command,
    &common::completion_command,
    &common::help_command,
    &common::version_command,
    &common::complete_command,
    &common::man_command,
};

std::string unknown_command(const common::Program& program, std::string_view, const std::string& word) {
  return fmt::format("unknown command {}: {} --help names those that there are", word, program.name);
}

}  // namespace

common::Program program(std::string name) {
  return {
      .name = std::move(name),
      .summary = "Containers by the rules of the OCI runtime specification",
      .version_line = fmt::format("lade-runtime version " LADE_VERSION "\nspec: {}", runtime::spec_version),
      .user_agent = "lade/" LADE_VERSION,
      .options = global_options,
      .commands = commands,
      .report = report_failure,
      .unknown_command = unknown_command,
      .own_signals = true};
}

}  // namespace lade::runtime_tool

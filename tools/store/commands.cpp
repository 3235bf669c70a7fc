#include "store/commands.hpp"

#include "common/builtin.hpp"
#include "common/option_groups.hpp"
#include "engines/front.hpp"

namespace lade::store_tool {
namespace {

using common::Command;
using common::Option;

const Command* const available[] = {
    &check_command,           &migrate_command,          &common::completion_command, &common::help_command,
    &common::version_command, &common::complete_command, &common::man_command,
};

std::vector<Option> global_options() {
  std::vector<Option> options = engines::store_options();
  common::append(options, common::policy_options());
  return options;
}

int report(const common::Failure& failure) {
  return engines::fail(engines::exit_engine_error, failure.error.what());
}

}  // namespace

common::Program program(std::string name, std::string version_line) {
  return {.name = std::move(name),
          .summary = "Check and migrate stores of images",
          .version_line = std::move(version_line),
          .user_agent = "lade/" LADE_VERSION,
          .options = global_options,
          .commands = available,
          .report = report,
          .threshold = engines::log_threshold};
}

}  // namespace lade::store_tool

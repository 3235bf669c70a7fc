#include "common/command.hpp"

#include <algorithm>

#include "base/error.hpp"
#include "common/help.hpp"

namespace lade::common {
namespace {

std::vector<Option> sorted(std::vector<Option> options) {
  std::stable_sort(options.begin(), options.end(),
                   [](const Option& a, const Option& b) { return a.name < b.name; });
  return options;
}

}  // namespace

void Invocation::refuse_usage(std::string_view message, bool with_help) const {
  if (with_help) write_best_effort(2, command_help(program, command) + "\n");
  throw Error(Kind::invalid_input, std::string(message));
}

bool needs_no_namespace(const Request&) {
  return false;
}

const Command* Program::find(std::string_view wanted) const {
  for (const Command* command : commands) {
    const auto& aliases = command->aliases;
    if (command->name == wanted || std::find(aliases.begin(), aliases.end(), wanted) != aliases.end()) {
      return command;
    }
  }
  return nullptr;
}

bool Program::has_group(std::string_view word) const {
  const std::string beginning = std::string(word) + " ";
  return std::any_of(commands.begin(), commands.end(),
                     [&](const Command* command) { return command->name.starts_with(beginning); });
}

Option help_option(std::string_view of) {
  return {.name = "help", .short_name = 'h', .help = "help for " + std::string(of)};
}

std::vector<Option> options_of(const Command& command) {
  std::vector<Option> options;
  if (command.options != nullptr) options = command.options();
  options.push_back(help_option(command.name));
  return sorted(std::move(options));
}

std::vector<Option> options_of(const Program& program) {
  std::vector<Option> options;
  if (program.options != nullptr) options = program.options();
  options.push_back(help_option(program.name));
  options.push_back({.name = "version", .short_name = 'v', .help = "print the version"});
  options.push_back({.name = "debug", .help = "tell in detail what is done, on standard error"});
  options.push_back({.name = "command-timeout",
                     .kind = ValueKind::duration,
                     .help = "give up when the whole command takes longer"});
  return sorted(std::move(options));
}

}  // namespace lade::common

#include "common/help.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <span>

namespace lade::common {
namespace {

constexpr std::string_view default_group = "Flags";

std::string_view group_of(const Option& option) {
  return option.group.empty() ? default_group : std::string_view(option.group);
}

// The headings in their order: the default first, the others as they come.
std::vector<std::string_view> groups_of(std::span<const Option> options) {
  std::vector<std::string_view> groups = {default_group};
  for (const Option& option : options) {
    if (option.hidden) continue;
    if (std::find(groups.begin(), groups.end(), group_of(option)) == groups.end()) {
      groups.push_back(group_of(option));
    }
  }
  return groups;
}

std::string left_column(const Option& option) {
  std::string text = option.short_name == 0 ? "      --" : fmt::format("  -{}, --", option.short_name);
  text += option.name;
  const std::string value = shown_value_name(option);
  return value.empty() ? text : text + " " + value;
}

std::string option_lists(std::span<const Option> options) {
  std::size_t width = 0;
  for (const Option& option : options) {
    if (!option.hidden) width = std::max(width, left_column(option).size());
  }
  std::string out;
  for (const std::string_view group : groups_of(options)) {
    out += fmt::format("{}{}:\n", out.empty() ? "" : "\n", group);
    for (const Option& option : options) {
      if (option.hidden || group_of(option) != group) continue;
      out += fmt::format("{:<{}}   {}\n", left_column(option), width, option.help);
    }
  }
  return out;
}

std::string indented(std::string_view lines, std::string_view before) {
  std::string out;
  while (!lines.empty()) {
    const std::size_t end = std::min(lines.find('\n'), lines.size());
    out += fmt::format("{}{}\n", before, lines.substr(0, end));
    lines.remove_prefix(std::min(end + 1, lines.size()));
  }
  return out;
}

std::string escape_scdoc(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (std::string_view("\\*_#[]{}~<>.").find(c) != std::string_view::npos) out += '\\';
    out += c;
  }
  return out;
}

std::string man_entry(const Option& option) {
  std::string head = "*--" + option.name + "*";
  if (option.short_name != 0) head = fmt::format("*-{}*, {}", option.short_name, head);
  const std::string value = shown_value_name(option);
  if (!value.empty()) head += " _" + escape_scdoc(value) + "_";
  return fmt::format("{}\n\t{}\n\n", head, escape_scdoc(option.help));
}

std::string man_entries(std::span<const Option> options) {
  std::string out;
  for (const std::string_view group : groups_of(options)) {
    if (group != default_group) out += fmt::format("## {}\n\n", group);
    for (const Option& option : options) {
      if (!option.hidden && group_of(option) == group) out += man_entry(option);
    }
  }
  return out;
}

}  // namespace

std::string program_help(const Program& program) {
  std::size_t width = 0;
  for (const Command* command : program.commands) width = std::max(width, command->name.size());
  std::string out = fmt::format("{}\n\nUsage:\n  {} [flags]\n  {} [command]\n\nAvailable Commands:\n",
                                program.summary, program.name, program.name);
  for (const Command* command : program.commands) {
    if (!command->hidden) out += fmt::format("  {:<{}}   {}\n", command->name, width, command->summary);
  }
  out += "\n" + option_lists(options_of(program));
  return out +
         fmt::format("\nUse \"{} [command] --help\" for more information about a command.\n", program.name);
}

std::string command_help(const Program& program, const Command& command) {
  std::string out = fmt::format("{}\n\nUsage:\n{} {}", command.description, program.name, command.name);
  out += command.synopsis.empty() ? "\n" : fmt::format(" {}\n", command.synopsis);
  if (!command.example.empty()) out += "\nExamples:\n" + indented(command.example, program.name + " ");
  return out + "\n" + option_lists(options_of(command));
}

std::string man_options(const Program& program, const Command& command) {
  return "# OPTIONS\n\n" + man_entries(options_of(command)) +
         fmt::format("The options of *{}*(1) may be given too.\n", program.name);
}

std::string man_program_options(const Program& program) {
  return "# OPTIONS\n\n" + man_entries(options_of(program));
}

std::string man_sections(const Program& program) {
  std::string out = "# COMMANDS\n\n";
  for (const Command* command : program.commands) {
    if (command->hidden) continue;
    // scdoc takes headings as they are, without escapes.
    out += fmt::format("## {} {}\n\n*{} {}* {}\n\n{}\n\n", program.name, command->name, program.name,
                       command->name, escape_scdoc(command->synopsis), escape_scdoc(command->description));
    for (const std::string_view alias : command->aliases)
      out += fmt::format("Also *{} {}*.\n\n", program.name, alias);
    const auto options = options_of(*command);
    for (const Option& option : options)
      if (!option.hidden && option.name != "help") out += man_entry(option);
  }
  return out;
}

std::string man_commands(const Program& program) {
  std::string out = "# COMMANDS\n\n";
  for (const Command* command : program.commands) {
    if (command->hidden) continue;
    out += fmt::format("*{}-{}*(1)\n\t{}\n\n", program.name, command->name, escape_scdoc(command->summary));
  }
  return out;
}

}  // namespace lade::common

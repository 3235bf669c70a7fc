#include "common/builtin.hpp"

#include <fmt/format.h>
#include <fstream>

#include <iterator>

#include "base/error.hpp"
#include "common/completion.hpp"
#include "common/help.hpp"

namespace lade::common {
namespace {

int run_help(Invocation& invocation) {
  const Program& program = invocation.program;
  if (invocation.arguments.empty()) {
    invocation.out.write(program_help(program));
    return 0;
  }
  const Command* command = program.find(invocation.arguments.front());
  if (command == nullptr) {
    throw Error(Kind::invalid_input, fmt::format("Unknown help topic `{}`", invocation.arguments.front()));
  }
  invocation.out.write(command_help(program, *command) + "\n");
  return 0;
}

int run_version(Invocation& invocation) {
  if (!invocation.arguments.empty()) invocation.refuse_usage("version takes no arguments");
  invocation.out.line(invocation.program.version_line);
  return 0;
}

int run_completion(Invocation& invocation) {
  if (invocation.arguments.size() != 1)
    invocation.refuse_usage("Exactly one argument expected: bash, zsh or fish");
  invocation.out.write(completion_script(invocation.program.name, invocation.arguments.front()));
  return 0;
}

int run_complete(Invocation& invocation) {
  invocation.out.write(complete(invocation.program, invocation.arguments));
  return 0;
}

std::string read_text(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw Error(Kind::not_found, fmt::format("open {}: no such file or directory", path));
  return std::string(std::istreambuf_iterator<char>(file), {});
}

void replace(std::string& text, std::string_view mark, const std::string& with) {
  const std::size_t at = text.find(mark);
  if (at != std::string::npos) text.replace(at, mark.size(), with);
}

// Joins the prose of a man page with what the table knows: @OPTIONS@, @COMMANDS@ and
// @SECTIONS@ stand for it.
int run_man(Invocation& invocation) {
  if (invocation.arguments.size() != 2) invocation.refuse_usage("Usage: __man COMMAND|. FILE");
  const Program& program = invocation.program;
  std::string page = read_text(invocation.arguments[1]);
  const Command* command = program.find(invocation.arguments[0]);
  if (command == nullptr && invocation.arguments[0] != ".") invocation.refuse_usage("no such command");
  replace(page, "@OPTIONS@\n",
          command == nullptr ? man_program_options(program) : man_options(program, *command));
  replace(page, "@COMMANDS@\n", man_commands(program));
  replace(page, "@SECTIONS@\n", man_sections(program));
  invocation.out.write(page);
  return 0;
}

}  // namespace

const Command help_command{.name = "help",
                           .summary = "Help about any command",
                           .description = "Help about any command",
                           .synopsis = "[COMMAND]",
                           .example = "help copy",
                           .run = run_help,
                           .needs_namespace = needs_no_namespace};

const Command version_command{.name = "version",
                              .summary = "Print the version",
                              .description = "Print the version",
                              .synopsis = "",
                              .example = "",
                              .run = run_version,
                              .needs_namespace = needs_no_namespace};

const Command completion_command{.name = "completion",
                                 .summary = "Print a completion script for bash, zsh or fish",
                                 .description = "Print a completion script for a shell on standard output",
                                 .synopsis = "bash|zsh|fish",
                                 .example = "completion bash",
                                 .choices = {"bash", "zsh", "fish"},
                                 .run = run_completion,
                                 .needs_namespace = needs_no_namespace};

const Command complete_command{.name = "__complete",
                               .summary = "",
                               .description = "",
                               .synopsis = "",
                               .example = "",
                               .run = run_complete,
                               .hidden = true,
                               .raw_arguments = true,
                               .needs_namespace = needs_no_namespace};

const Command man_command{.name = "__man",
                          .summary = "",
                          .description = "",
                          .synopsis = "COMMAND|. FILE",
                          .example = "",
                          .run = run_man,
                          .hidden = true,
                          .needs_namespace = needs_no_namespace};

}  // namespace lade::common

// A command line program as a value: its options, its commands, what each runs. From this one table come
// parsing, --help, man pages and completions.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/context.hpp"
#include "common/arguments.hpp"
#include "common/log_format.hpp"
#include "common/option.hpp"
#include "common/output.hpp"

namespace lade::common {

struct Program;
struct Command;

// What a command is run with. Lives as long as the run.
struct Invocation {
  const Program& program;
  const Command& command;
  Flags flags;  // of the command and of the program
  std::vector<std::string> arguments;
  Context context;
  LogrusLogger& logger;  // the same that context.log is
  Output& out;           // standard output, flushed by the caller

  // Kind::invalid_input. The help text goes to standard error before it if `with_help`.
  [[noreturn]] void refuse_usage(std::string_view message, bool with_help = false) const;
};

// What an argument names, for completions.
enum class ArgumentHint { none, image, file, registry };

// What is about to be run.
struct Request {
  const Program& program;
  const Command& command;
  const Flags& flags;
  std::span<const std::string> arguments;
};

// Whether an ordinary user who asks for this has to be root in a user namespace (common/rootless.hpp). May
// throw what the command would.
using NamespaceRule = bool (*)(const Request& request);
bool needs_no_namespace(const Request& request);

struct Command {
  std::string_view name;
  std::string_view summary;      // one line, in the list of commands
  std::string_view description;  // above the usage; may have several lines
  std::string_view synopsis;     // "[command options] SOURCE-IMAGE DESTINATION-IMAGE"
  std::string_view example;      // without the program's name; may have several lines, "" if none
  ArgumentHint argument = ArgumentHint::none;
  std::vector<std::string_view> choices = {};  // words that the argument may be, for completions
  std::vector<Option> (*options)() = nullptr;
  // The exit status; errors are thrown.
  int (*run)(Invocation& invocation) = nullptr;
  std::vector<std::string_view> aliases = {};
  bool hidden = false;
  bool raw_arguments = false;  // nothing is parsed: all words reach `arguments`
  bool runs_program = false;   // options end at the first argument: a program with options of its own
  NamespaceRule needs_namespace = nullptr;  // nullptr: as Program::enter_namespace decides
};

// What went wrong, for a program that tells it in its own way.
struct Failure {
  const Program& program;
  std::string_view command;  // "" before one was found
  const std::exception& error;
  bool of_flags;  // the options could not be parsed
};

struct Program {
  std::string name;  // as in messages: "skopeo", "lade"
  std::string summary;
  std::string version_line;  // of --version
  std::string user_agent;
  std::vector<Option> (*options)() = nullptr;  // accepted before and after the command
  std::span<const Command* const> commands;
  std::vector<std::string_view> transports = {};  // for completions of image names
  // Prints the error and gives the exit status; nullptr: as skopeo does. Commands of groups have names such
  // as "image ls".
  int (*report)(const Failure& failure) = nullptr;
  // Texts for a word that is no command and for a missing command; `group` is "" or that of the word.
  std::string (*unknown_command)(const Program& program, std::string_view group,
                                 const std::string& word) = nullptr;
  std::string (*missing_command)(const Program& program, std::string_view group) = nullptr;
  // Which lines of the log are shown; nullptr: --debug shows all, otherwise info and above.
  Level (*threshold)(const Flags& flags) = nullptr;
  // Called before any thread is started, if a command is about to be run.
  void (*enter_namespace)(const Request& request, const Context& context) = nullptr;

  // nullptr if there is none.
  const Command* find(std::string_view name) const;
  // Whether there are commands "<word> ...".
  bool has_group(std::string_view word) const;
};

// -h, --help; -v, --version: part of every table.
Option help_option(std::string_view of);

// The options of a command with --help, in the order of the alphabet.
std::vector<Option> options_of(const Command& command);
std::vector<Option> options_of(const Program& program);

// Runs the program with what follows its name on the command line. Prints errors; never throws. The exit
// status: 0, 1, 2 for an image that is not there, 128 + n after signal n.
int run_program(const Program& program, std::span<const std::string> args) noexcept;

}  // namespace lade::common

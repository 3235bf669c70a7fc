#include <fmt/format.h>

#include <algorithm>
#include <exception>
#include <optional>
#include <utility>

#include "common/command.hpp"
#include "common/help.hpp"
#include "common/interruption.hpp"
#include "common/suggest.hpp"

namespace lade::common {
namespace {

constexpr int exit_failure = 1;
constexpr int exit_image_not_found = 2;
constexpr int exit_signal_base = 128;

[[noreturn]] void refuse_command(const Program& program, std::string_view group, const std::string& word) {
  if (program.unknown_command != nullptr)
    throw Error(Kind::invalid_input, program.unknown_command(program, group, word));
  std::vector<std::string> names;
  for (const Command* command : program.commands) {
    if (!command->hidden) names.emplace_back(command->name);
  }
  std::string hint;
  for (const std::string& name : suggestions(word, names)) hint += "\t" + name + "\n";
  if (!hint.empty()) hint = "\nDid you mean this?\n" + hint + "\n";
  throw Error(Kind::invalid_input,
              fmt::format("Unrecognized command `{} {}`\n{}Try '{} --help' for more information",
                          program.name, word, hint, program.name));
}

// The options of the program that stand before the command and those that stand behind it.
struct CommandLine {
  const Command* command = nullptr;
  std::string group = {};  // of which there is no command
  Arguments arguments = {};
};

// An option that is not there, not what it should be, or without its value.
class FlagError : public Error {
 public:
  FlagError(const Error& error, std::string_view command) : Error(error), command_(command) {}
  const std::string& command() const { return command_; }

 private:
  std::string command_;
};

Arguments parse_flags(std::span<const Option> options, std::span<const std::string> args,
                      std::string_view command, Interspersed interspersed = Interspersed::yes) {
  try {
    return parse_arguments(options, args, interspersed);
  } catch (const Error& error) {
    throw FlagError(error, command);
  }
}

// The command that begins at args[at], and how many words name it; none for a group alone.
std::pair<const Command*, std::size_t> find_command(const Program& program, std::span<const std::string> args,
                                                    std::size_t at) {
  const std::string& word = args[at];
  if (const Command* command = program.find(word)) {
    const bool is_group = program.has_group(word) && at + 1 < args.size();
    const Command* inner = is_group ? program.find(word + " " + args[at + 1]) : nullptr;
    return inner == nullptr ? std::pair(command, 1UL) : std::pair(inner, 2UL);
  }
  if (!program.has_group(word)) refuse_command(program, "", word);
  if (at + 1 >= args.size() || args[at + 1].starts_with("-")) return {nullptr, 1UL};
  const Command* command = program.find(word + " " + args[at + 1]);
  if (command == nullptr) refuse_command(program, word, args[at + 1]);
  return {command, 2UL};
}

CommandLine parse_line(const Program& program, std::span<const std::string> args) {
  const auto program_options = options_of(program);
  Arguments before = parse_flags(program_options, args, "", Interspersed::stop_at_first_argument);
  if (before.flags.flag("help") || before.flags.flag("version") || before.stopped_at == args.size()) {
    return {nullptr, "", std::move(before)};
  }
  const auto [command, words] = find_command(program, args, before.stopped_at);
  const auto rest = args.subspan(before.stopped_at + words);
  if (command == nullptr) {
    const std::string& group = args[before.stopped_at];
    return {nullptr, group, parse_flags(program_options, rest, group)};
  }
  if (command->raw_arguments) {
    before.positional.assign(rest.begin(), rest.end());
    return {command, "", std::move(before)};
  }
  // Parsed as one line, so that options given twice have their last value whichever side they stand on.
  std::vector<std::string> line(args.begin(), args.begin() + static_cast<std::ptrdiff_t>(before.stopped_at));
  line.insert(line.end(), rest.begin(), rest.end());
  auto options = options_of(*command);
  for (const Option& option : program_options) {
    const auto is_same = [&](const Option& own) { return own.name == option.name; };
    const bool shared = option.name != "version" && std::none_of(options.begin(), options.end(), is_same);
    if (shared) options.push_back(option);
  }
  const auto interspersed = command->runs_program ? Interspersed::stop_at_first_argument : Interspersed::yes;
  Arguments arguments = parse_flags(options, line, command->name, interspersed);
  for (std::size_t at = arguments.stopped_at; at < line.size(); ++at)
    arguments.positional.push_back(line[at]);
  return {command, "", std::move(arguments)};
}

std::string missing_command(const Program& program, const std::string& group) {
  if (program.missing_command != nullptr) return program.missing_command(program, group);
  return fmt::format("Missing command '{} COMMAND'\nTry '{} --help' for more information", program.name,
                     program.name);
}

int run_command(const Program& program, CommandLine line, LogrusLogger& logger) {
  Output out(1, "/dev/stdout");
  if (line.command == nullptr && line.arguments.flags.flag("version")) {
    out.line(program.version_line);
  } else if (line.command == nullptr && line.arguments.flags.flag("help")) {
    out.write(program_help(program));
  } else if (line.command == nullptr) {
    throw Error(Kind::invalid_input, missing_command(program, line.group));
  } else if (line.arguments.flags.flag("help")) {
    out.write(command_help(program, *line.command) + "\n");
  } else {
    // Before Interruption starts the first thread.
    if (program.enter_namespace != nullptr)
      program.enter_namespace({program, *line.command, line.arguments.flags, line.arguments.positional},
                              {{}, logger, silent_progress(), real_clock()});
    const Interruption interruption(line.arguments.flags.find_duration("command-timeout"));
    Invocation invocation{program,
                          *line.command,
                          std::move(line.arguments.flags),
                          std::move(line.arguments.positional),
                          {interruption.token(), logger, silent_progress(), real_clock()},
                          logger,
                          out};
    int status = exit_failure;
    try {
      status = line.command->run(invocation);
      out.flush();
    } catch (const std::exception&) {
      // What failed because it was told to stop is not to blame.
      if (interruption.signal() != 0) return exit_signal_base + interruption.signal();
      if (interruption.timed_out()) throw Error(Kind::unavailable, "context deadline exceeded");
      throw;
    }
    return status;
  }
  out.flush();
  return 0;
}

int report(const Error& error, LogrusLogger& logger) {
  if (logger.enabled(Level::debug)) {
    for (const std::string& frame : error.context()) logger.debug("while " + frame);
  }
  logger.fatal(error.what());
  return error.kind() == Kind::image_not_found ? exit_image_not_found : exit_failure;
}

Level threshold_of(const Program& program, const Flags& flags) {
  if (flags.flag("debug")) return Level::debug;
  return program.threshold == nullptr ? Level::info : program.threshold(flags);
}

int report_in_own_way(const Program& program, std::string_view command, const std::exception& error) {
  const auto* of_flags = dynamic_cast<const FlagError*>(&error);
  if (of_flags != nullptr) command = of_flags->command();
  return program.report({program, command, error, of_flags != nullptr});
}

int run_line(const Program& program, std::span<const std::string> args) {
  std::optional<LogrusLogger> logger(std::in_place, 2, choose_log_style(2), Level::info);
  std::string command;
  try {
    CommandLine line = parse_line(program, args);
    if (line.command != nullptr) command = line.command->name;
    logger.emplace(2, choose_log_style(2), threshold_of(program, line.arguments.flags));
    return run_command(program, std::move(line), *logger);
  } catch (const std::exception& error) {
    if (program.report != nullptr) return report_in_own_way(program, command, error);
    if (const auto* own = dynamic_cast<const Error*>(&error)) return report(*own, *logger);
    logger->fatal(error.what());
  }
  return exit_failure;
}

}  // namespace

int run_program(const Program& program, std::span<const std::string> args) noexcept {
  try {
    return run_line(program, args);
  } catch (const std::exception& error) {
    write_best_effort(2, std::string(error.what()) + "\n");
  }
  return exit_failure;
}

}  // namespace lade::common

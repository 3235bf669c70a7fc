#include <fmt/format.h>

#include <algorithm>
#include <exception>

#include "common/command.hpp"
#include "common/help.hpp"
#include "common/interruption.hpp"
#include "common/suggest.hpp"

namespace lade::common {
namespace {

constexpr int exit_failure = 1;
constexpr int exit_image_not_found = 2;
constexpr int exit_signal_base = 128;

[[noreturn]] void refuse_command(const Program& program, const std::string& word) {
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
  Arguments arguments;
};

CommandLine parse_line(const Program& program, std::span<const std::string> args) {
  const auto program_options = options_of(program);
  Arguments before = parse_arguments(program_options, args, Interspersed::stop_at_first_argument);
  if (before.flags.flag("help") || before.flags.flag("version") || before.stopped_at == args.size()) {
    return {nullptr, std::move(before)};
  }
  const Command* command = program.find(args[before.stopped_at]);
  if (command == nullptr) refuse_command(program, args[before.stopped_at]);
  const auto rest = args.subspan(before.stopped_at + 1);
  if (command->raw_arguments) {
    before.positional.assign(rest.begin(), rest.end());
    return {command, std::move(before)};
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
  return {command, parse_arguments(options, line)};
}

int run_command(const Program& program, CommandLine line, LogrusLogger& logger) {
  Output out(1, "/dev/stdout");
  if (line.command == nullptr && line.arguments.flags.flag("version")) {
    out.line(program.version_line);
  } else if (line.command == nullptr && line.arguments.flags.flag("help")) {
    out.write(program_help(program));
  } else if (line.command == nullptr) {
    throw Error(Kind::invalid_input,
                fmt::format("Missing command '{} COMMAND'\nTry '{} --help' for more information",
                            program.name, program.name));
  } else if (line.arguments.flags.flag("help")) {
    out.write(command_help(program, *line.command) + "\n");
  } else {
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

}  // namespace

int run_program(const Program& program, std::span<const std::string> args) noexcept {
  LogrusLogger quiet(2, choose_log_style(2), Level::info);
  LogrusLogger verbose(2, choose_log_style(2), Level::debug);
  LogrusLogger* logger = &quiet;
  try {
    CommandLine line = parse_line(program, args);
    if (line.arguments.flags.flag("debug")) logger = &verbose;
    return run_command(program, std::move(line), *logger);
  } catch (const Error& error) {
    return report(error, *logger);
  } catch (const std::exception& error) {
    logger->fatal(error.what());
  }
  return exit_failure;
}

}  // namespace lade::common

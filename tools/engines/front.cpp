#include "engines/front.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <filesystem>

#include "common/output.hpp"
#include "common/suggest.hpp"
#include "config/short_name_aliases.hpp"

namespace lade::engines {

using common::Flags;
using common::Invocation;
using common::Option;
using common::ValueKind;

namespace {

constexpr std::size_t short_id_length = 12;

struct NamedLevel {
  std::string_view name;
  Level level;
};
constexpr NamedLevel levels[] = {
    {"trace", Level::debug},     {"debug", Level::debug}, {"info", Level::info},   {"warn", Level::warning},
    {"warning", Level::warning}, {"error", Level::error}, {"fatal", Level::error}, {"panic", Level::error}};

std::filesystem::path absolute_path(const Flags& flags, std::string_view name) {
  const std::string text = flags.text(name);
  return text.empty() ? std::filesystem::path() : std::filesystem::absolute(text).lexically_normal();
}

config::StoreOverrides overrides_of(const Flags& flags) {
  config::StoreOverrides overrides;
  overrides.graph_root = absolute_path(flags, "root");
  overrides.run_root = absolute_path(flags, "runroot");
  overrides.driver = flags.text("storage-driver");
  overrides.image_store = absolute_path(flags, "imagestore");
  if (flags.given("storage-opt")) {
    overrides.driver_options = flags.list("storage-opt");
    std::erase(*overrides.driver_options, "");
  }
  return overrides;
}

int refuse_missing(Invocation& invocation) {
  throw Error(Kind::unsupported, fmt::format("{} {} is not available in lade yet", invocation.program.name,
                                             invocation.command.name));
}

[[noreturn]] void refuse_arguments(std::string text) {
  throw Error(Kind::invalid_input, std::move(text));
}

}  // namespace

std::vector<Option> store_options() {
  return {
      {.name = "root",
       .kind = ValueKind::text,
       .value_name = "DIR",
       .help = "directory of images and containers"},
      {.name = "runroot",
       .kind = ValueKind::text,
       .value_name = "DIR",
       .help = "directory of what is lost when the machine stops"},
      {.name = "storage-driver",
       .kind = ValueKind::text,
       .help = "overlay or vfs (default: that of storage.conf)",
       .choices = {"overlay", "vfs"}},
      {.name = "storage-opt",
       .kind = ValueKind::list,
       .value_name = "KEY=VALUE",
       .help = "options of the storage driver; in place of those of storage.conf"},
      {.name = "imagestore",
       .kind = ValueKind::text,
       .value_name = "DIR",
       .help = "directory of images alone"},
      {.name = "log-level",
       .kind = ValueKind::text,
       .value_name = "LEVEL",
       .help = "trace, debug, info, warn, error, fatal or panic (default warn)",
       .choices = {"trace", "debug", "info", "warn", "error", "fatal", "panic"}},
  };
}

std::vector<Option> idle_options(const std::vector<IdleOption>& options) {
  std::vector<Option> result;
  for (const IdleOption& option : options) {
    result.push_back({.name = option.name,
                      .kind = option.kind,
                      .help = "of containers: changes nothing, no command that is there looks at it",
                      .group = "Without effect"});
  }
  return result;
}

std::vector<Option> unavailable_options(const std::vector<IdleOption>& options, const std::string& why) {
  std::vector<Option> result;
  for (const IdleOption& option : options)
    result.push_back(
        {.name = option.name, .kind = option.kind, .help = why, .hidden = true, .unavailable = why});
  return result;
}

Level log_threshold(const Flags& flags) {
  const std::string wanted = flags.find_text("log-level").value_or("warn");
  for (const NamedLevel& level : levels)
    if (level.name == wanted) return level.level;
  throw Error(
      Kind::invalid_input,
      fmt::format("Log Level \"{}\" is not supported, choose from: trace, debug, info, warn, warning, error, "
                  "fatal, panic",
                  wanted));
}

bool needs_namespace(const common::Request&) {
  return true;
}

bool needs_namespace_without_store(const common::Request& request) {
  const auto options =
      config::load_store_options(config::Environment::of_process(), overrides_of(request.flags));
  const auto records = options.graph_root / (store::driver_name(options) + "-images/images.lock");
  return ::access(records.c_str(), F_OK) != 0;
}

bool needs_given_namespace(const common::Request& request) {
  if (::geteuid() == 0) return true;
  throw Error(Kind::unsupported,
              fmt::format("cannot run command \"{} {}\" in rootless mode, must execute `{} unshare` first",
                          request.program.name, request.command.name, request.program.name));
}

EngineSession::EngineSession(const Invocation& invocation) : invocation_(invocation), session_(invocation) {}

const config::StoreOptions& EngineSession::store_options() {
  if (!options_) {
    options_ = config::load_store_options(session_.environment(), overrides_of(invocation_.flags));
    for (const std::string& file : options_->files) context().log.debug("storage: read " + file);
    for (const std::string& warning : options_->warnings) context().log.warning(warning);
  }
  return *options_;
}

std::filesystem::path EngineSession::short_names_path() const {
  const Flags& flags = invocation_.flags;
  return config::short_name_aliases_path(
      session_.environment(),
      flags.has("short-name-alias-conf") ? flags.text("short-name-alias-conf") : "");
}

const config::RegistriesConf& EngineSession::registries() {
  if (!registries_) {
    registries_ = *session_.registries();
    const auto path = short_names_path();
    registries_->add_aliases(config::load_short_name_aliases(context(), path), path.string());
  }
  return *registries_;
}

const std::shared_ptr<store::Store>& EngineSession::store() {
  // An ordinary user who is not root of a namespace runs a command that only reads.
  const auto access = ::geteuid() == 0 ? store::Store::Access::read_write : store::Store::Access::read_only;
  if (!store_) store_ = store::Store::open(context(), store_options(), access);
  return store_;
}

void require_exactly(const Invocation& invocation, std::size_t count) {
  const std::size_t given = invocation.arguments.size();
  if (given != count) refuse_arguments(fmt::format("accepts {} arg(s), received {}", count, given));
}

void require_at_least(const Invocation& invocation, std::size_t count) {
  const std::size_t given = invocation.arguments.size();
  if (given < count)
    refuse_arguments(fmt::format("requires at least {} arg(s), only received {}", count, given));
}

void require_at_most(const Invocation& invocation, std::size_t count) {
  const std::size_t given = invocation.arguments.size();
  if (given > count) refuse_arguments(fmt::format("accepts at most {} arg(s), received {}", count, given));
}

void require_between(const Invocation& invocation, std::size_t least, std::size_t most) {
  const std::size_t given = invocation.arguments.size();
  if (given < least || given > most)
    refuse_arguments(fmt::format("accepts between {} and {} arg(s), received {}", least, most, given));
}

void require_flags_first(const Invocation& invocation) {
  for (const std::string& argument : invocation.arguments)
    if (argument.size() > 1 && argument.starts_with('-'))
      refuse_arguments(
          fmt::format("no options ({}) can be specified after the image or container name", argument));
}

void require_none(const Invocation& invocation) {
  if (!invocation.arguments.empty())
    refuse_arguments(
        fmt::format("`{}` takes no arguments", command_path(invocation.program, invocation.command.name)));
}

int fail(int status, std::string_view text) {
  common::write_best_effort(2, fmt::format("Error: {}\n", text));
  return status;
}

std::string join_errors(const std::vector<Error>& errors) {
  if (errors.size() == 1) return errors.front().what();
  std::string text = fmt::format("{} errors occurred:", errors.size());
  for (const Error& error : errors) text += fmt::format("\n\t* {}", error.what());
  return text;
}

std::string list_errors(const std::vector<Error>& errors) {
  std::string text =
      errors.size() == 1 ? "1 error occurred:\n" : fmt::format("{} errors occurred:\n", errors.size());
  for (const Error& error : errors) text += fmt::format("\t* {}\n", error.what());
  return text + "\n";
}

common::Command missing_command(std::string_view name) {
  return {.name = name,
          .summary = "",
          .description = "",
          .synopsis = "",
          .example = "",
          .run = refuse_missing,
          .hidden = true,
          .raw_arguments = true,
          .needs_namespace = common::needs_no_namespace};
}

std::string command_path(const common::Program& program, std::string_view group) {
  return group.empty() ? program.name : fmt::format("{} {}", program.name, group);
}

std::string suggestion_lines(const std::string& word, const std::vector<std::string>& names) {
  std::string lines;
  for (const std::string& name : common::suggestions(word, names)) lines += "\t" + name + "\n";
  return lines.empty() ? "" : "Did you mean this?\n" + lines;
}

std::string shorten_id(std::string_view id) {
  return std::string(id.substr(0, short_id_length));
}

}  // namespace lade::engines

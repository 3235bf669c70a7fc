#include <fmt/format.h>

#include <algorithm>
#include <functional>

#include "build/shell_words.hpp"
#include "buildah/commands.hpp"
#include "buildah/working.hpp"
#include "common/go_text.hpp"

namespace lade::buildah {
namespace {

using common::Flags;
using common::Invocation;
using common::Option;
using common::ValueKind;
using spec::Json;

Option text_option(const char* name, const char* value, const char* help, char short_name = 0) {
  return {.name = name, .short_name = short_name, .kind = ValueKind::text, .value_name = value, .help = help};
}

Option texts_option(const char* name, const char* value, const char* help, char short_name = 0) {
  return {
      .name = name, .short_name = short_name, .kind = ValueKind::texts, .value_name = value, .help = help};
}

std::vector<Option> config_options() {
  std::vector<Option> options = {
      add_history_option(),
      texts_option("annotation", "NAME=VALUE",
                   "add an annotation, e.g. annotation=value, for the target image", 'a'),
      text_option("arch", "ARCHITECTURE", "set architecture of the target image"),
      text_option("author", "AUTHOR", "set image author contact information"),
      text_option("cmd", "COMMAND", "set the default command to run for containers based on the image"),
      text_option("comment", "TEXT", "set a comment in the target image"),
      text_option("created-by", "TEXT", "set description of how the image was created"),
      text_option("domainname", "NAME", "set a domain name for containers based on the image"),
      text_option("entrypoint", "COMMAND", "set entry point for containers based on the image"),
      texts_option("env", "NAME=VALUE",
                   "add an environment variable to be set when running containers based on the image", 'e'),
      text_option("healthcheck", "COMMAND", "set a healthcheck command for the target image"),
      text_option("healthcheck-interval", "DURATION",
                  "set the interval between runs of the healthcheck command"),
      {.name = "healthcheck-retries",
       .kind = ValueKind::integer,
       .help = "set the number of times the healthcheck command has to fail"},
      text_option("healthcheck-start-interval", "DURATION",
                  "set the interval between runs while a container starts"),
      text_option("healthcheck-start-period", "DURATION", "set the time a container has for starting up"),
      text_option("healthcheck-timeout", "DURATION", "set the time a healthcheck command may take"),
      text_option("history-comment", "TEXT", "set a comment for the history of the target image"),
      text_option("hostname", "NAME", "set a host name for containers based on image"),
      texts_option("label", "NAME=VALUE", "add image configuration label e.g. label=value", 'l'),
      texts_option("onbuild", "INSTRUCTION",
                   "add a command to be run by images built on this one (Docker's format only)"),
      text_option("os", "OS", "set operating system of the target image"),
      {.name = "os-feature", .kind = ValueKind::list, .help = "set required OS features of the target image"},
      text_option("os-version", "VERSION", "set required OS version of the target image"),
      {.name = "port",
       .short_name = 'p',
       .kind = ValueKind::list,
       .help = "add a port to expose when running containers based on the image"},
      text_option("shell", "SHELL", "add a shell to run in containers"),
      text_option("stop-signal", "SIGNAL", "set the stop signal for containers based on the image"),
      texts_option("unsetannotation", "NAME", "remove an annotation from the target image"),
      texts_option("unsetlabel", "NAME", "remove an image configuration label"),
      text_option("user", "USER[:GROUP]", "set the default user to run inside containers based on the image",
                  'u'),
      text_option("variant", "VARIANT", "set architecture variant of the target image"),
      texts_option("volume", "PATH",
                   "add a default volume path to be created for containers based on the image", 'v'),
      text_option("workingdir", "DIR", "set the default working directory for containers based on the image"),
  };
  return options;
}

std::string joined(const std::vector<std::string>& words) {
  return fmt::format("{}", fmt::join(words, " "));
}

bool is_blank(const std::string& text) {
  return text.find_first_not_of(" \t\r\n") == std::string::npos;
}

// A JSON array of strings; nullopt for anything else.
std::optional<std::vector<std::string>> json_words(const std::string& text) {
  const auto json = spec::try_parse_json(text);
  if (!json || !json->is_array()) return std::nullopt;
  std::vector<std::string> words;
  for (const Json& element : *json) {
    if (!element.is_string()) return std::nullopt;
    words.push_back(element.get<std::string>());
  }
  return words;
}

// Each value is "-": all go; "NAME-": that one goes; or something to add.
struct Edits {
  std::function<void()> clear;
  std::function<void(const std::string& name)> remove;
  std::function<void(const std::string& value)> add;

  void apply(const std::vector<std::string>& values) const {
    for (const auto& value : values) {
      if (value == "-")
        clear();
      else if (value.ends_with('-') && value.find('=') == std::string::npos)
        remove(value.substr(0, value.size() - 1));
      else
        add(value);
    }
  }
};

std::pair<std::string, std::string> split_pair(const std::string& text) {
  const auto equals = text.find('=');
  if (equals == std::string::npos) return {text, ""};
  return {text.substr(0, equals), text.substr(equals + 1)};
}

bool is_name_letter(char c) {
  return c == '_' || (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

class Configuration {
 public:
  Configuration(WorkSession& session, build::Builder& builder)
      : session_(session),
        flags_(session.invocation().flags),
        builder_(builder),
        settings_(builder.settings()) {}

  void apply() {
    set_descriptions();
    set_user_and_shell();
    set_ports();
    set_environment();
    set_commands();
    set_volumes();
    set_healthcheck();
    set_labels();
    set_names();
    set_triggers();
    set_annotations();
  }

 private:
  void note(const std::string& what) { note_history(session_, builder_, "/bin/sh -c #(nop) " + what); }

  void warn(const std::string& text) { session_.context().log.warning(text); }

  // Runs `set` with the value if the option was given.
  template <class Set>
  void on(const char* option, const Set& set) {
    if (flags_.given(option)) set(flags_.text(option));
  }

  void set_descriptions() {
    on("author", [&](const auto& value) { settings_.set_image_text("author", value); });
    on("created-by", [&](const auto& value) { builder_.set_text("created-by", value); });
    on("arch", [&](const auto& value) { settings_.set_image_text("architecture", value); });
    on("variant", [&](const auto& value) { settings_.set_image_text("variant", value); });
    on("os", [&](const auto& value) { settings_.set_image_text("os", value); });
    on("os-version", [&](const auto& value) { settings_.set_image_text("os.version", value); });
    auto features = settings_.os_features();
    Edits{[&] { features.clear(); }, [&](const auto& name) { std::erase(features, name); },
          [&](const auto& value) {
            if (std::ranges::find(features, value) == features.end()) features.push_back(value);
          }}
        .apply(flags_.list("os-feature"));
    settings_.set_os_features(features);
  }

  void set_user_and_shell() {
    on("user", [&](const auto& value) {
      settings_.set_text("User", value);
      note("USER " + value);
    });
    on("shell", [&](const auto& value) {
      const auto words = in_context([&] { return fmt::format("parsing --shell {}", common::quote(value)); },
                                    [&] { return build::split_shell_words(value); });
      if (!words.empty() && !builder_.is_docker_format())
        warn(fmt::format(
            "SHELL is not supported for OCI image format, [{}] will be ignored. Must use `docker` format",
            joined(words)));
      settings_.set_list("Shell", words);
      note("SHELL " + value);
    });
    on("stop-signal", [&](const auto& value) {
      settings_.set_text("StopSignal", value);
      note("STOPSIGNAL " + value);
    });
  }

  void set_ports() {
    if (!flags_.given("port")) return;
    for (const auto& port : flags_.list("port")) {
      if (port.starts_with('-'))
        settings_.clear("ExposedPorts");
      else if (port.ends_with('-'))
        settings_.remove_from_set("ExposedPorts", port.substr(0, port.size() - 1));
      else if (!port.empty())
        settings_.add_to_set("ExposedPorts", port);
    }
    note("EXPOSE " + joined(flags_.list("port")));
  }

  // $NAME and ${NAME} are the container's variables.
  std::string expanded(const std::string& text) {
    std::string result;
    for (std::size_t at = 0; at < text.size();) {
      if (text[at] != '$' || at + 1 == text.size()) {
        result += text[at++];
        continue;
      }
      const bool braced = text[at + 1] == '{';
      std::size_t begin = at + (braced ? 2 : 1), end = begin;
      while (end < text.size() && (braced ? text[end] != '}' : is_name_letter(text[end]))) ++end;
      if (end == begin) {
        result += text[at++];
        continue;
      }
      const std::string name = text.substr(begin, end - begin);
      const auto value = settings_.find_env(name);
      if (!value)
        session_.context().log.log(
            Level::error,
            fmt::format("error expanding variable {}: no value set in configuration", common::quote(name)));
      result += value.value_or(name);
      at = std::min(end + (braced ? 1 : 0), text.size());
    }
    return result;
  }

  void set_environment() {
    if (!flags_.given("env")) return;
    for (const auto& entry : flags_.list("env")) {
      const auto [name, value] = split_pair(entry);
      if (entry.find('=') != std::string::npos) {
        settings_.set_env(name, expanded(value));
      } else if (name == "-") {
        settings_.clear("Env");
      } else if (name.ends_with('-')) {
        settings_.unset_env(name.substr(0, name.size() - 1));
      } else {
        const std::string own = session_.environment(name.c_str());
        if (own.empty())
          throw Error(Kind::invalid_input,
                      fmt::format("setting env {}: no value given", common::quote(name)));
        settings_.set_env(name, own);
      }
    }
    note("ENV " + joined(flags_.list("env")));
  }

  void set_entrypoint(const std::string& value) {
    const std::string cmd = joined(settings_.list("Cmd"));
    if (is_blank(value)) {
      settings_.clear("Entrypoint");
    } else if (const auto words = json_words(value)) {
      settings_.set_list("Entrypoint", *words);
      if (!cmd.empty())
        warn(
            fmt::format("cmd {} exists and will be passed to entrypoint as a parameter", common::quote(cmd)));
    } else {
      if (!cmd.empty())
        warn(fmt::format("cmd {} exists but will be ignored because of entrypoint settings",
                         common::quote(cmd)));
      settings_.set_list("Entrypoint", {"/bin/sh", "-c", value});
    }
  }

  void set_commands() {
    on("entrypoint", [&](const auto& value) {
      set_entrypoint(value);
      note("ENTRYPOINT " + value);
    });
    on("cmd", [&](const auto& value) {
      const auto json = json_words(value);
      settings_.set_list(
          "Cmd", json ? *json
                      : in_context([&] { return fmt::format("parsing --cmd {}", common::quote(value)); },
                                   [&] { return build::split_shell_words(value); }));
      note("CMD " + value);
    });
  }

  void set_volumes() {
    const Edits edits{[&] { settings_.clear("Volumes"); },
                      [&](const auto& name) { settings_.remove_from_set("Volumes", name); },
                      [&](const auto& value) { settings_.add_to_set("Volumes", value); }};
    for (const auto& volume : flags_.list("volume")) {
      if (volume.empty()) continue;
      edits.apply({volume});
      note("VOLUME " + volume);
    }
  }

  std::int64_t duration(const std::string& option, std::string& words) {
    const std::string value = flags_.text("healthcheck-" + option);
    words += fmt::format("--{}={} ", option, value);
    return in_context(
        [&] { return fmt::format("parsing --healthcheck-{} {}", option, common::quote(value)); },
        [&] { return common::parse_duration(value).count(); });
  }

  void set_healthcheck() {
    constexpr std::int64_t half_a_minute = 30'000'000'000;
    bool any = flags_.given("healthcheck");
    for (const char* option : {"interval", "retries", "start-period", "start-interval", "timeout"})
      any |= flags_.given(std::string("healthcheck-") + option);
    if (!any) return;
    build::Healthcheck check =
        settings_.healthcheck().value_or(build::Healthcheck{{"NONE"}, half_a_minute, half_a_minute, 0, 0, 3});
    const std::string command = flags_.text("healthcheck");
    if (flags_.given("healthcheck"))
      check.test = in_context([&] { return fmt::format("parsing --healthcheck {}", common::quote(command)); },
                              [&] { return build::split_shell_words(command); });
    std::string words;
    if (flags_.given("healthcheck-interval")) check.interval = duration("interval", words);
    if (const auto retries = flags_.find_integer("healthcheck-retries")) {
      check.retries = *retries;
      words += fmt::format("--retries={} ", *retries);
    }
    if (flags_.given("healthcheck-start-period")) check.start_period = duration("start-period", words);
    if (flags_.given("healthcheck-start-interval")) check.start_interval = duration("start-interval", words);
    if (flags_.given("healthcheck-timeout")) check.timeout = duration("timeout", words);
    if (check.test.empty()) {
      settings_.set_healthcheck(std::nullopt);
      note("HEALTHCHECK NONE");
      return;
    }
    if (!builder_.is_docker_format())
      warn("HEALTHCHECK is not supported for OCI image format and will be ignored. Must use `docker` format");
    settings_.set_healthcheck(check);
    note("HEALTHCHECK " + words + command);
  }

  void set_labels() {
    if (flags_.given("label")) {
      Edits{[&] { settings_.clear("Labels"); }, [&](const auto& name) { settings_.unset_label(name); },
            [&](const auto& value) {
              const auto [name, text] = split_pair(value);
              settings_.set_label(name, text);
            }}
          .apply(flags_.list("label"));
      note("LABEL " + joined(flags_.list("label")));
    }
    for (const auto& name : flags_.list("unsetlabel")) settings_.unset_label(name);
    for (const auto& name : flags_.list("unsetannotation")) settings_.unset_annotation(name);
  }

  void set_names() {
    on("workingdir", [&](const auto& value) {
      settings_.set_text("WorkingDir", value);
      note("WORKDIR " + value);
    });
    on("comment", [&](const auto& value) { settings_.set_comment(value); });
    on("history-comment", [&](const auto& value) { builder_.set_text("history-comment", value); });
    on("domainname", [&](const auto& value) {
      if (!value.empty() && !builder_.is_docker_format())
        warn(fmt::format(
            "DOMAINNAME is not supported for OCI V1 image format, domainname {} will be ignored. Must use "
            "`docker` format",
            value));
      settings_.set_text("Domainname", value);
    });
    on("hostname", [&](const auto& value) {
      if (!value.empty() && !builder_.is_docker_format())
        warn(fmt::format(
            "HOSTNAME is not supported for OCI V1 image format, hostname {} will be ignored. Must use "
            "`docker` format",
            value));
      settings_.set_text("Hostname", value);
    });
  }

  void set_triggers() {
    for (const auto& trigger : flags_.list("onbuild")) {
      if (!trigger.empty() && !builder_.is_docker_format())
        warn(fmt::format(
            "ONBUILD is not supported for OCI image format, {} will be ignored. Must use `docker` format",
            trigger));
      auto triggers = settings_.list("OnBuild");
      triggers.push_back(trigger);
      settings_.set_list("OnBuild", triggers);
      note("ONBUILD " + trigger);
    }
  }

  void set_annotations() {
    Edits{[&] { settings_.clear_annotations(); }, [&](const auto& name) { settings_.unset_annotation(name); },
          [&](const auto& value) {
            const auto [name, text] = split_pair(value);
            settings_.set_annotation(name, text);
          }}
        .apply(flags_.list("annotation"));
  }

  WorkSession& session_;
  const Flags& flags_;
  build::Builder& builder_;
  build::ImageSettings settings_;
};

int run_config(Invocation& invocation) {
  const auto& arguments = invocation.arguments;
  if (arguments.empty()) throw Error(Kind::invalid_input, "container ID must be specified");
  engines::require_flags_first(invocation);
  if (arguments.size() > 1) throw Error(Kind::invalid_input, "too many arguments specified");
  WorkSession session(invocation);
  build::Builder builder = session.open(arguments[0]);
  Configuration(session, builder).apply();
  session.builders().save(builder);
  return 0;
}

}  // namespace

const common::Command config_command{
    .name = "config",
    .summary = "Update image configuration settings",
    .description =
        "Modifies the configuration values which will be saved to the image.\n\n"
        "Options that may be repeated: \"-\" takes all away, \"NAME-\" that one.",
    .synopsis = "[flags] CONTAINER",
    .example =
        "config --author='Jane Austen' --workingdir='/etc/mycontainers' containerID\n"
        "config --entrypoint '[ \"/entrypoint.sh\", \"dev\" ]' containerID\n"
        "config --env foo=bar --env PATH=$PATH containerID",
    .options = config_options,
    .run = run_config,
    .runs_program = true};

}  // namespace lade::buildah

#include "common/completion.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/error.hpp"

namespace lade::common {
namespace {

constexpr std::string_view bash_script = R"(_NAME() {
  local line directive words=()
  while IFS= read -r line; do words+=("${line%%$'\t'*}"); done \
    < <("${COMP_WORDS[0]}" __complete "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
  directive=${words[-1]}
  unset 'words[-1]'
  COMPREPLY=("${words[@]}")
  case $directive in
    :files) compopt -o default ;;
    :nospace) compopt -o nospace ;;
  esac
}
complete -F _NAME NAME
)";

constexpr std::string_view zsh_script = R"(#compdef NAME
_NAME() {
  local -a lines words_with_text
  local line directive
  lines=("${(@f)$("${words[1]}" __complete "${(@)words[2,CURRENT]}" 2>/dev/null)}")
  directive=${lines[-1]}
  lines=("${(@)lines[1,-2]}")
  for line in "${lines[@]}"; do
    words_with_text+=("${${line%%$'\t'*}//:/\\:}:${line#*$'\t'}")
  done
  if [[ $directive == :files ]]; then
    _files
  elif [[ $directive == :nospace ]]; then
    _describe 'NAME' words_with_text -S ''
  else
    _describe 'NAME' words_with_text
  fi
}
# Loaded from fpath, this file is the first call of the function; otherwise it is sourced.
if [[ "${funcstack[1]}" == _NAME ]]; then
  _NAME "$@"
else
  compdef _NAME NAME
fi
)";

constexpr std::string_view fish_script = R"(function __NAME_complete
    set -l words (commandline -opc) (commandline -ct)
    set -l lines ($words[1] __complete $words[2..-1] 2>/dev/null)
    if test (count $lines) -gt 1
        printf '%s\n' $lines[1..-2]
    end
    if test "$lines[-1]" = ":files"
        __fish_complete_path (commandline -ct)
    end
end
complete -c NAME -f -a '(__NAME_complete)'
)";

constexpr std::array file_values = {"PATH", "DIR", "FILE", "DIRECTORY"};

enum class Ending { end, files, nospace };

class Candidates {
 public:
  explicit Candidates(std::string_view typed) : typed_(typed) {}

  void add(std::string_view word, std::string_view text) {
    if (word.starts_with(typed_)) out_ += fmt::format("{}\t{}\n", word, text);
  }
  std::string finish(Ending ending) const {
    switch (ending) {
      case Ending::files: return out_ + ":files\n";
      case Ending::nospace: return out_ + ":nospace\n";
      case Ending::end: break;
    }
    return out_ + ":end\n";
  }

 private:
  std::string_view typed_;
  std::string out_;
};

const Option* find_option(std::span<const Option> options, std::string_view word) {
  for (const Option& option : options) {
    if (word == "--" + option.name || (word.size() == 2 && word[0] == '-' && word[1] == option.short_name)) {
      return &option;
    }
  }
  return nullptr;
}

bool names_a_file(const Option& option) {
  const bool by_value =
      std::find(file_values.begin(), file_values.end(), option.value_name) != file_values.end();
  return by_value || option.name.ends_with("file");
}

std::string complete_value(const Option& option, std::string_view typed, const std::string& before) {
  Candidates candidates(typed);
  for (const std::string& choice : option.choices) candidates.add(before + choice, option.help);
  const bool files = option.choices.empty() && names_a_file(option);
  return candidates.finish(files ? Ending::files : Ending::end);
}

std::string complete_options(std::span<const Option> options, std::string_view typed) {
  Candidates candidates(typed);
  for (const Option& option : options) {
    if (!option.hidden && option.unavailable.empty()) candidates.add("--" + option.name, option.help);
  }
  return candidates.finish(Ending::end);
}

std::string complete_commands(const Program& program, std::string_view typed) {
  Candidates candidates(typed);
  for (const Command* command : program.commands) {
    if (!command->hidden) candidates.add(command->name, command->summary);
  }
  return candidates.finish(Ending::end);
}

std::string complete_argument(const Program& program, const Command& command, std::string_view typed) {
  Candidates candidates(typed);
  for (const std::string_view choice : command.choices) candidates.add(choice, "");
  const bool image = command.argument == ArgumentHint::image && typed.find(':') == std::string_view::npos;
  if (image && typed != ":") {
    for (const std::string_view transport : program.transports) {
      candidates.add(fmt::format("{}:{}", transport, transport == "docker" ? "//" : ""), "");
    }
    return candidates.finish(Ending::nospace);
  }
  const bool files = command.argument == ArgumentHint::file || command.argument == ArgumentHint::image;
  return candidates.finish(files ? Ending::files : Ending::end);
}

}  // namespace

std::string completion_script(std::string_view program_name, std::string_view shell) {
  std::string script(shell == "bash"   ? bash_script
                     : shell == "zsh"  ? zsh_script
                     : shell == "fish" ? fish_script
                                       : std::string_view());
  if (script.empty()) {
    throw Error(Kind::invalid_input, fmt::format("unknown shell \"{}\": bash, zsh or fish expected", shell));
  }
  constexpr std::string_view mark = "NAME";
  for (std::size_t at = 0; (at = script.find(mark, at)) != std::string::npos; at += program_name.size()) {
    script.replace(at, mark.size(), program_name);
  }
  return script;
}

std::string complete(const Program& program, std::span<const std::string> words) {
  const std::string_view typed = words.empty() ? std::string_view() : std::string_view(words.back());
  auto options = options_of(program);
  const Command* command = nullptr;
  const Option* awaited = nullptr;  // the option whose value comes next
  for (const std::string& word : words.subspan(0, words.empty() ? 0 : words.size() - 1)) {
    if (awaited != nullptr) {
      awaited = nullptr;
    } else if (word.starts_with('-')) {
      awaited = find_option(options, word);
      const bool alone = awaited != nullptr && (awaited->kind == ValueKind::boolean || !awaited->bare.empty());
      if (alone) awaited = nullptr;
    } else if (command == nullptr && (command = program.find(word)) != nullptr) {
      append(options, options_of(*command));
    }
  }
  if (awaited != nullptr) return complete_value(*awaited, typed, "");
  if (typed.starts_with('-')) {
    const std::size_t equals = typed.find('=');
    if (equals == std::string_view::npos) return complete_options(options, typed);
    const Option* option = find_option(options, typed.substr(0, equals));
    if (option != nullptr) return complete_value(*option, typed, std::string(typed.substr(0, equals + 1)));
  }
  if (command == nullptr) return complete_commands(program, typed);
  return complete_argument(program, *command, typed);
}

}  // namespace lade::common

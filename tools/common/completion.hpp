// Completion of command lines in shells: small scripts ask the program itself, which knows the table.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "common/command.hpp"

namespace lade::common {

// The script for "bash", "zsh" or "fish"; Kind::invalid_input for another shell.
std::string completion_script(std::string_view program_name, std::string_view shell);

// `words` follow the program's name; the last one is being typed (maybe ""). One line for each candidate,
// "word<TAB>description", then ":files" (file names too), ":nospace" (no space behind the word) or ":end".
std::string complete(const Program& program, std::span<const std::string> words);

}  // namespace lade::common

// A command line in words, as github.com/mattn/go-shellwords splits it: quotes and backslashes, nothing else.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace lade::build {

// Kind::invalid_input "invalid command line string" for a quote without end.
std::vector<std::string> split_shell_words(std::string_view line);

}  // namespace lade::build

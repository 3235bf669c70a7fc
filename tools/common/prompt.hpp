// Questions to the person at the terminal.
#pragma once

#include <stop_token>
#include <string>
#include <string_view>

#include "common/output.hpp"

namespace lade::common {

// Prints `prompt` and reads a line from standard input, without its end. Cancelled when stop is requested.
// Kind::invalid_input at the end of the input with nothing read.
std::string ask(Output& out, std::string_view prompt, const std::stop_token& stop);
// Without echo where standard input is a terminal.
std::string ask_secret(Output& out, std::string_view prompt, const std::stop_token& stop);

// All of standard input; Kind::invalid_input for more than `limit` bytes.
std::string read_standard_input(std::size_t limit, const std::stop_token& stop);

}  // namespace lade::common

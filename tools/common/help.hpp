// --help and the OPTIONS section of man pages, from the command table.
#pragma once

#include <string>

#include "common/command.hpp"

namespace lade::common {

std::string program_help(const Program& program);
std::string command_help(const Program& program, const Command& command);

// scdoc text: headings and one entry for each option that is not hidden.
std::string man_options(const Program& program, const Command& command);
// scdoc text: the program's own options and its commands.
std::string man_program_options(const Program& program);
std::string man_commands(const Program& program);
// The same in one page: a section for each command, with its synopsis and its options.
std::string man_sections(const Program& program);

}  // namespace lade::common

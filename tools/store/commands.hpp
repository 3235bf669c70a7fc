// The grammar of `lade store`: looking after whole stores.
#pragma once

#include <string>

#include "common/command.hpp"

namespace lade::store_tool {

// `name` and `version_line` as in common::Program.
common::Program program(std::string name, std::string version_line);

extern const common::Command check_command;
extern const common::Command migrate_command;

}  // namespace lade::store_tool

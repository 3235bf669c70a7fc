// Commands that every program of the family has.
#pragma once

#include "common/command.hpp"

namespace lade::common {

extern const Command help_command;
extern const Command version_command;
extern const Command completion_command;  // completion bash|zsh|fish
extern const Command complete_command;    // __complete WORD...: hidden, called by the completion scripts
extern const Command man_command;         // __man COMMAND FILE: hidden, called when the man pages are built

}  // namespace lade::common

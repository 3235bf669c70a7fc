// The command line of an OCI runtime, as runc and crun have it.
#pragma once

#include <string>

#include "common/command.hpp"

namespace lade::runtime_tool {

common::Program program(std::string name);

extern const common::Command create_command, run_command, start_command, state_command, kill_command,
    delete_command, exec_command, ps_command, list_command, pause_command, resume_command, update_command,
    spec_command, features_command;

}  // namespace lade::runtime_tool

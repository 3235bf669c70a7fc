// The grammar of buildah.
#pragma once

#include <span>
#include <string>

#include "common/command.hpp"

namespace lade::buildah {

// What scripts that ask for buildah's version are told.
inline constexpr const char* emulated_version = "1.43.0";

// `name` and `version_line` as in common::Program.
common::Program program(std::string name, std::string version_line);

extern const common::Command images_command;
extern const common::Command tag_command;
extern const common::Command rmi_command;
extern const common::Command pull_command;
extern const common::Command push_command;
extern const common::Command unshare_command;
extern const common::Command info_command;
extern const common::Command version_command;
extern const common::Command inspect_command;
extern const common::Command prune_command;

}  // namespace lade::buildah

// The grammar of buildah.
#pragma once

#include <span>
#include <string>

#include "common/command.hpp"

namespace lade::buildah {

// `name` and `version_line` as in common::Program.
common::Program program(std::string name, std::string version_line);

extern const common::Command images_command;
extern const common::Command tag_command;
extern const common::Command rmi_command;
extern const common::Command pull_command;
extern const common::Command push_command;
extern const common::Command unshare_command;

}  // namespace lade::buildah

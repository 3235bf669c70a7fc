// The grammar of buildah.
#pragma once

#include <span>
#include <string>

#include "common/command.hpp"

namespace lade::buildah {

// The version of buildah that scripts find: in --version, and in the label of images.
inline constexpr const char* emulated_version = "1.43.0";

// `name` and `version_line` as in common::Program.
common::Program program(std::string name, std::string version_line);

extern const common::Command images_command;
extern const common::Command tag_command;
extern const common::Command rmi_command;
extern const common::Command pull_command;
extern const common::Command push_command;
extern const common::Command add_command;
extern const common::Command commit_command;
extern const common::Command config_command;
extern const common::Command containers_command;
extern const common::Command copy_command;
extern const common::Command from_command;
extern const common::Command inspect_command;
extern const common::Command mount_command;
extern const common::Command rename_command;
extern const common::Command rm_command;
extern const common::Command run_command;
extern const common::Command umount_command;
extern const common::Command unshare_command;
extern const common::Command info_command;
extern const common::Command version_command;
extern const common::Command prune_command;

}  // namespace lade::buildah

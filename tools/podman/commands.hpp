// The grammar of podman.
#pragma once

#include <span>
#include <string>

#include "common/command.hpp"

namespace lade::podman {

// `name` and `version_line` as in common::Program.
common::Program program(std::string name, std::string version_line);

// Those of podman's commands that are not there yet: they say so.
std::span<const common::Command* const> missing_commands();

extern const common::Command images_command;
extern const common::Command image_list_command;
extern const common::Command image_exists_command;
extern const common::Command tag_command;
extern const common::Command image_tag_command;
extern const common::Command untag_command;
extern const common::Command image_untag_command;
extern const common::Command rmi_command;
extern const common::Command image_rm_command;
extern const common::Command pull_command;
extern const common::Command image_pull_command;
extern const common::Command push_command;
extern const common::Command image_push_command;
extern const common::Command inspect_command;
extern const common::Command image_inspect_command;
extern const common::Command history_command;
extern const common::Command image_history_command;
extern const common::Command save_command;
extern const common::Command image_save_command;
extern const common::Command load_command;
extern const common::Command image_load_command;
extern const common::Command image_prune_command;
extern const common::Command image_tree_command;
extern const common::Command image_mount_command;
extern const common::Command image_unmount_command;
extern const common::Command unshare_command;

}  // namespace lade::podman

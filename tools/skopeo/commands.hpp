// The commands of skopeo's grammar, which is also lade's own top level.
#pragma once

#include <span>

#include "common/command.hpp"

namespace lade::skopeo {

extern const common::Command config_command;
extern const common::Command copy_command;
extern const common::Command delete_command;
extern const common::Command dump_signature_command;
extern const common::Command generate_sigstore_key_command;
extern const common::Command image_proxy_command;
extern const common::Command inspect_command;
extern const common::Command list_repos_command;
extern const common::Command list_tags_command;
extern const common::Command login_command;
extern const common::Command logout_command;
extern const common::Command manifest_digest_command;
extern const common::Command serve_command;
extern const common::Command standalone_sign_command;
extern const common::Command standalone_verify_command;
extern const common::Command sync_command;

// Known to skopeo, not to be had yet: they say so and fail.
std::span<const common::Command* const> missing_commands();

// All of them, in the order of --help.
std::span<const common::Command* const> commands();

// `name` is how the program is called in messages, `version_line` what --version prints.
common::Program program(std::string name, std::string version_line);

}  // namespace lade::skopeo

// What `podman unshare` and `buildah unshare` share: a program as root of the user's namespace.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "common/command.hpp"
#include "config/environment.hpp"
#include "os/foreground.hpp"

namespace lade::engines {

// Kind::invalid_input "please use unshare with rootless" for the machine's root, whom it would do no good.
void refuse_root(const config::Environment& environment);

using Variables = std::vector<std::pair<std::string, std::string>>;

// The program that the arguments name, $SHELL if they name none; in our environment with these variables set.
// Kind::invalid_input `no_shell` if there is no $SHELL either.
os::ForegroundProgram program_to_unshare(const common::Invocation& invocation, const Variables& variables,
                                         const char* no_shell);

}  // namespace lade::engines

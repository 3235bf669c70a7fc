// An ordinary user's command as root of a user namespace, as podman, buildah and skopeo run theirs.
#pragma once

#include "base/context.hpp"
#include "common/command.hpp"

namespace lade::common {

// If this process is an ordinary user's, or one of root without CAP_SYS_ADMIN, and the command's rule
// (`otherwise` for one that has none) says so, makes it root in a namespace of the user
// (os::enter_user_namespace), and sets the variables by which other programs know that:
// _CONTAINERS_USERNS_CONFIGURED, _CONTAINERS_ROOTLESS_UID, _CONTAINERS_ROOTLESS_GID. With
// `join_pause_process`, the namespace that podman keeps is joined if there is one.
//
// MUST be called before any thread is started. Kind::unsupported if the machine does not let users do it;
// root stays what it is then.
void enter_namespace(const Request& request, const Context& context, NamespaceRule otherwise,
                     bool join_pause_process);

}  // namespace lade::common

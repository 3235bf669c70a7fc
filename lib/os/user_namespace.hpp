// Being root in a user namespace (user_namespaces(7)) as podman, buildah and skopeo are when an ordinary user
// runs them: 0 is the user, the IDs from 1 on are the ranges of /etc/subuid and /etc/subgid.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <string>

#include "base/context.hpp"

namespace lade::os {

bool has_cap_sys_admin();
// The machine's, in which root has all rights; one that maps every ID to itself can still be another.
bool in_initial_user_namespace();
// A namespace can be entered only as long as this is true.
bool is_single_threaded();

struct NamespaceOptions {
  // Files are missing, or without a line for the user: nothing but the user's own ID is there then.
  std::filesystem::path subuid = "/etc/subuid", subgid = "/etc/subgid", nsswitch = "/etc/nsswitch.conf";
  // Where newuidmap(1), newgidmap(1) and getsubids(1) are looked for; parts that are not absolute are
  // skipped.
  std::string program_path = "/usr/local/bin:/usr/bin:/bin";
};

// Makes this process root in a user namespace and a mount namespace of its own. IDs of which no range tells,
// and all where the programs are missing or refuse, are not mapped; one warning in the log says so. Nobody
// waits for anything afterwards: there is no process left but this one. Mounts of this process are seen by it
// and those it starts only.
//
// MUST be called before any thread is started. Kind::unsupported if the machine does not let users do it, and
// then nothing has changed; Kind::invalid_input for malformed lines of the user in subuid or subgid.
void enter_user_namespace(const Context& context, const NamespaceOptions& options = {});

// The same for root of a container that was not given CAP_SYS_ADMIN: all IDs stay what they are. False if the
// machine does not let it.
bool enter_identical_namespace(const Context& context);

// Joins the user and mount namespace of a process of this user, which podman keeps for that (its pause.pid).
// False, and nothing has changed, if there is no such process, or it is in our own namespace, or its is not
// this user's.
bool join_user_namespace(pid_t process);

}  // namespace lade::os

// Users and groups by the files of a container (/etc/passwd, /etc/group): never the host's.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "os/root.hpp"

namespace lade::build {

struct ContainerUser {
  std::uint32_t uid = 0, gid = 0;
  std::string home;                         // "" if it is not known
  std::string name;                         // "" if it is not known
  std::vector<std::uint32_t> other_groups;  // that the user is a member of
};

// "user", "user:group", numbers or names; "" is root. Kind::invalid_input
// `user: unknown user error looking up user "X"`, and the like for groups.
ContainerUser find_user(const os::Root& root, std::string_view spec);
// A group alone.
std::uint32_t find_group(const os::Root& root, std::string_view group);

}  // namespace lade::build

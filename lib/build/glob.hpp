// Names with wildcards, looked up in a tree that is nobody's to trust.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/context.hpp"
#include "os/root.hpp"

namespace lade::build {

// The paths below `root` that match, sorted; links on the way are followed as if it were "/", the last part
// is not. "**" as a component is any number of directories. Without wildcards: the path itself, if it is
// there.
std::vector<std::string> expand_glob(const Context& context, const os::Root& root, std::string_view pattern);

// lstat(2) and stat(2) below `root`; nullopt if there is nothing.
std::optional<struct ::stat> find_in_root(const os::Root& root, const std::string& path, bool follow);

}  // namespace lade::build

// Paths of images on this machine as policies name them.
#pragma once

#include <string>
#include <vector>

namespace lade::transport {

// Absolute, without links, "." or "..": all but the last component must exist (containers/image,
// directory/explicitfilepath). Error "lstat <path>" if not.
std::string resolve_path(const std::string& path);

// "/a/b/c" and the directories above it, longest first, without "/". `with_path` false: without itself.
std::vector<std::string> path_scopes(const std::string& resolved, bool with_path);

}  // namespace lade::transport

// Removing trees that strangers made.
#pragma once

#include <filesystem>

namespace lade::os {

// Removes a file, or a directory with all it holds, however deep it is nested and whatever its permissions
// are as long as they are ours to change. Follows no links, crosses no mount points: those are Kind::system
// "busy". No error if there is nothing.
void remove_tree(const std::filesystem::path& path);

}  // namespace lade::os

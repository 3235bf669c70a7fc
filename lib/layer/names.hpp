#pragma once

#include <string>
#include <vector>

#include "os/unique_fd.hpp"

namespace lade::layer {

// Of a directory (O_PATH will do), without "." and "..", in no order.
std::vector<std::string> names_in(const os::UniqueFd& directory);

// A name that system calls which know no directories take: "/proc/self/fd/<directory>/<name>".
std::string path_at(int directory, std::string_view name);

}  // namespace lade::layer

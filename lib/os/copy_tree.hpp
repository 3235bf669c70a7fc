// Copies of directory trees as they are.
#pragma once

#include <filesystem>

#include "base/context.hpp"

namespace lade::os {

struct CopyTreeOptions {
  bool ignore_chown_errors = false;
  bool rootless = false;  // devices are left out, and EPERM of extended attributes does not count
};

// Creates `target` as a copy of the directory `source`: types, owners, modes, times, extended attributes and
// hard links among its files. Blocks are shared where the file system can. Sockets are left out. What was
// copied stays there when an error is thrown.
void copy_tree(const Context& context, const std::filesystem::path& source,
               const std::filesystem::path& target, const CopyTreeOptions& options);

}  // namespace lade::os

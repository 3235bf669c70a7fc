// Removes what is below a directory, without ever following a link.
#pragma once

#include <sys/stat.h>

#include <functional>
#include <string>

namespace lade::layer {

struct Removal {
  int parent;  // an open directory
  std::uint64_t parent_inode;
  const std::string& name;  // in it
  const std::string& path;  // from where the removal began
  const struct ::stat& stat;
};

// Asked for each name after what is below it: false keeps it. A directory in which something is left stays.
using MayRemove = std::function<bool(const Removal&)>;

// `name` in `parent` and all below; no error if it is not there.
void remove_entry(int parent, const std::string& name, const MayRemove& may_remove);
// All below `directory` (O_PATH will do), which stays.
void remove_children(int directory, const MayRemove& may_remove);

}  // namespace lade::layer

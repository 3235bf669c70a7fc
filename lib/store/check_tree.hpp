// Comparing the files of a layer with the headers of its tar. Internal to store/.
#pragma once

#include <map>
#include <string>

#include "archive/tar_header.hpp"
#include "os/root.hpp"
#include "store/layout.hpp"

namespace lade::store {

struct TreeRules {
  bool owners = true;           // they are kept
  bool devices = true;          // devices are made
  bool only_these = true;       // nothing else is there
  bool whiteout_files = false;  // ".wh." files stand for themselves
};

// What a tar wants to be there, collected entry by entry.
class ExpectedTree {
 public:
  void add(const archive::TarHeader& header);
  // "" or the first thing that differs: `etc/motd: has the mode 0600, and should have 0644`.
  std::string compare(const Path& directory, const TreeRules& rules) const;

 private:
  std::string compare_entry(const os::Root& root, const std::string& name, const archive::TarHeader& header,
                            const TreeRules& rules) const;
  std::string find_stranger(const Path& directory, const TreeRules& rules) const;

  std::map<std::string, archive::TarHeader> entries_;  // by clean name, the last of each
};

}  // namespace lade::store

// Names in a container that something is mounted on while a command runs. What has to be made for that is
// taken away afterwards, so that no image holds traces of it.
#pragma once

#include <cstdint>
#include <ctime>
#include <string>
#include <vector>

#include "base/context.hpp"
#include "build/source_items.hpp"
#include "os/root.hpp"

namespace lade::build {

class MountTargets {
 public:
  // `root` MUST outlive it.
  MountTargets(const Context& context, const os::Root& root) : context_(context), root_(root) {}
  ~MountTargets();
  MountTargets(const MountTargets&) = delete;
  MountTargets& operator=(const MountTargets&) = delete;

  // An empty file or directory, and directories that lead to it, as far as there is nothing yet; links are
  // followed as if `root` were "/".
  void make(const std::string& path, bool is_directory);

 private:
  struct Made {
    std::string parent;  // below the root, without links
    std::string name;
    bool is_directory;
    std::timespec parent_mtime;  // before it was made
  };

  void make_one(const std::string& parent, const std::string& name, bool is_directory);
  void take_away(const Made& made) noexcept;

  const Context& context_;
  const os::Root& root_;
  std::vector<Made> made_;
};

}  // namespace lade::build

// What has to wait until a directory is complete: its times, and a mode under which it could not be filled.
// Keeps 256 KiB in memory and the rest in a file without a name.
#pragma once

#include <array>
#include <cstdint>
#include <ctime>
#include <functional>
#include <string>
#include <vector>

#include "os/unique_fd.hpp"

namespace lade::layer {

struct DeferredDirectory {
  std::string path;  // clean; "" is the root
  std::array<std::timespec, 2> times{};
  bool set_mode = false;
  std::uint32_t mode = 0;
};

class DeferredDirectories {
 public:
  // `scratch` (not owned) is a directory on the disk.
  explicit DeferredDirectories(const os::UniqueFd& scratch) : scratch_(scratch) {}

  void add(const DeferredDirectory& directory);
  // In the order of add().
  void for_each(const std::function<void(const DeferredDirectory&)>& fn);

 private:
  static constexpr std::size_t max_block = 256 * 1024;

  const os::UniqueFd& scratch_;
  std::string block_;
  os::UniqueFd file_;
  std::vector<std::size_t> written_;  // sizes of the blocks in the file
};

}  // namespace lade::layer

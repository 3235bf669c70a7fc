// A tar may hold one name several times, and then only the last content is found on disk. What was there
// before is kept aside, and goes into the tar-split as raw bytes instead of the name.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include "io/stream.hpp"
#include "os/unique_fd.hpp"

namespace lade::layer {

class ReplacedContents {
 public:
  // `scratch` (not owned) is a directory on the disk.
  explicit ReplacedContents(const os::UniqueFd& scratch) : scratch_(scratch) {}

  bool empty() const { return kept_.empty(); }
  // Copies the regular file `name` in `parent`; `path` is its own from the root. Only the first of a path
  // counts: later ones have no entry in the tar-split.
  void keep(int parent, const std::string& name, std::string_view path);
  // Copies a tar-split, with these contents in the place of their names. Kind::integrity if they do not
  // match.
  void rewrite(std::unique_ptr<io::Reader> tar_split, io::Writer& out);

 private:
  struct Range {
    std::uint64_t offset, size;
  };

  const os::UniqueFd& scratch_;
  std::shared_ptr<const os::UniqueFd> file_;
  std::uint64_t end_ = 0;
  std::unordered_map<std::uint64_t, Range> kept_;  // by the hash of the path
};

}  // namespace lade::layer

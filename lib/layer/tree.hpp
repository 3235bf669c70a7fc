// The directories of a tree that is being made, by name: those on the way to the last one stay open, since
// the next entry of a tar is nearly always in one of them.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "os/root.hpp"
#include "os/unique_fd.hpp"

namespace lade::layer {

// "/d/../a/", "../../a" and "./a" are "a": lexically, as if the tree were "/". Empty for the root itself.
// Kind::invalid_input for names that no system call takes (4096 bytes).
std::string clean_layer_name(std::string_view name);

class Tree {
 public:
  struct Directory {
    os::UniqueFd fd;            // O_PATH
    std::uint64_t inode = 0;    // only if asked for
    bool through_link = false;  // a symbolic link is on the way
    std::size_t path_size = 0;  // of the path that leads here
  };

  // Makes the directory `name` in `parent`. `error` says what is there: ENOENT nothing, ENOTDIR something
  // else. False: it stays as it is.
  using Make = std::function<bool(const Directory& parent, const std::string& name, int error)>;

  // A null Make makes nothing.
  Tree(const os::UniqueFd& root, bool with_inodes, Make make);

  // `path` is clean; links in it are followed as if the root were "/". nullptr if it is no directory and was
  // not made. Valid until the next call.
  const Directory* find(std::string_view path, bool make);

  // MUST be called after a directory or a link was removed.
  void forget();

 private:
  // Deeper ones are closed when their child is open: a descriptor a level would be a way to exhaust them.
  static constexpr std::size_t max_open = 64;

  bool descend(std::string_view path, std::string_view name, bool make);
  bool is_link(const std::string& name) const;

  os::Root root_;
  bool with_inodes_;
  Make make_;
  std::string path_;
  std::vector<Directory> levels_;
};

}  // namespace lade::layer

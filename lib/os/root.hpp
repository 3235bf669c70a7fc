// A directory as the root of everything below it: the only way to touch a tree that a stranger made.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "os/unique_fd.hpp"

namespace lade::os {

class Root {
 public:
  enum class Resolver { kernel, walk };

  // Opens the directory; `path` itself is trusted. Resolver::kernel falls back to walk where openat2(2) is
  // not to be had (before Linux 5.6, refused by a seccomp filter).
  explicit Root(const std::filesystem::path& path, Resolver resolver = Resolver::kernel);

  // An open directory.
  explicit Root(UniqueFd directory, Resolver resolver = Resolver::kernel);

  // Opens `name` as if this directory were "/": absolute names and links start here, ".." stops here, links
  // of /proc are refused. O_CLOEXEC is added. Throws Error::from_errno "open <name>".
  UniqueFd open(std::string_view name, int flags, mode_t mode = 0) const;

  const UniqueFd& fd() const { return fd_; }

 private:
  UniqueFd open_by_walk(std::string_view name, int flags, mode_t mode) const;

  UniqueFd fd_;
  Resolver resolver_;
};

}  // namespace lade::os

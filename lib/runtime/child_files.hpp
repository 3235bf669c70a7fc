// Files of a container that is being made, whose tree may be hostile. Of the child: nothing allocates or
// throws. Functions give 0 or a descriptor, or a negated errno or ChildFault.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>

#include "runtime/plan.hpp"

namespace lade::runtime {

struct ChildRoot {
  int fd = -1;       // the container's root
  int proc_fd = -1;  // /proc of the host; the working directory while files are made
  bool has_mount_api = true;
};

// openat2(2) as if the root were "/"; magic links are refused. `resolve` adds to the restrictions.
int open_below(int root, const char* path, std::uint64_t flags, std::uint64_t resolve = 0);

// An O_PATH descriptor of `path`, which is made with its parents if it is not there: a directory or an empty
// file.
int open_target(int root, const char* path, bool directory);

// "self/fd/<fd>", relative to /proc.
class FdPath {
 public:
  explicit FdPath(int fd);
  const char* c_str() const { return text_; }

 private:
  char text_[24];
};

int open_root(ChildRoot& root, const step::OpenRoot& step, const int* sources);
int mount_at(const ChildRoot& root, const step::MountAt& step, const int* sources);
int mask_path(const ChildRoot& root, const char* path);
int make_readonly(const ChildRoot& root, const char* path);
int make_device(const ChildRoot& root, const step::MakeDevice& step);
int make_link(const ChildRoot& root, const step::MakeLink& step);
int enter_root(const ChildRoot& root, step::EnterRoot::How how);

// Copies the tree below one directory into another: files, directories, links, devices; owners, modes, times.
int copy_up(int from, int to);

// Attaches the file `fd` (a device or a terminal) at an existing target.
int bind_fd(const ChildRoot& root, int fd, int target);

}  // namespace lade::runtime

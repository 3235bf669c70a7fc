// Owner, mode, extended attributes and times of what was unpacked: set only where creation did not give them.
#pragma once

#include <sys/stat.h>

#include <array>
#include <ctime>
#include <string>

#include "archive/tar_header.hpp"
#include "base/context.hpp"
#include "layer/apply.hpp"
#include "os/unique_fd.hpp"

namespace lade::layer {

// A name in an open directory.
struct Place {
  int parent;
  const std::string& name;
  const std::string& path;  // from the root, for messages
};

// Access and modification, as utimensat(2) takes them. Access is never before modification, as Go has it.
std::array<std::timespec, 2> times_of(const archive::TarHeader& header);

class Attributes {
 public:
  // `exactly`: files get exactly the mode they are created with (a umask of 0).
  Attributes(const Context& context, const os::UniqueFd& root, const ApplyOptions& options, bool exactly);

  // Permission bits for open(2), mknod(2); the others are set afterwards.
  static mode_t creation_mode(std::uint32_t mode) { return mode & 0777; }
  // For mkdir(2): entries can be made in it whatever the mode will be.
  static mode_t directory_creation_mode(std::uint32_t mode) { return (mode & 0777) | 0700; }
  // Of directories that no entry describes.
  static constexpr mode_t missing_mode = 0755;

  // All of a regular file that was just created, the content of which is written.
  void finish(const os::UniqueFd& file, const std::string& path, const archive::TarHeader& header);
  // All of a fifo or device that was just created.
  void finish_node(const Place& place, const archive::TarHeader& header);
  // All of a symbolic link that was just created.
  void finish_link(const Place& place, const archive::TarHeader& header);
  // Owner and extended attributes of a directory. Mode and times have to wait until all is in it; true if the
  // mode is right already. `created`: just now.
  bool begin_directory(const Place& place, const archive::TarHeader& header, bool created);
  void begin_missing_directory(const Place& place);
  void finish_whiteout(const Place& place, const archive::TarHeader& header);
  void set_opaque(int directory);

 private:
  struct Owner {
    uid_t uid;
    gid_t gid;
  };

  Owner owner_of(std::uint32_t uid, std::uint32_t gid) const;
  void set_owner(const Place& place, std::uint32_t uid, std::uint32_t gid, bool created);
  template <class Set>
  void set_xattrs(const archive::TarHeader& header, const Set& set);
  void set_xattrs_at(const Place& place, const archive::TarHeader& header);

  const Context& context_;
  const ApplyOptions& options_;
  // What a new file gets.
  bool exact_ = false;
  Owner creator_{0, 0};
  bool warned_ = false;
};

}  // namespace lade::layer

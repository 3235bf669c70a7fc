#include "layer/removal.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "base/error.hpp"
#include "layer/names.hpp"
#include "os/file.hpp"
#include "os/unique_fd.hpp"

namespace lade::layer {

namespace {

// Trees can be deeper than any path: the stack must hold, and so must the descriptors.
constexpr int max_removal_depth = 2048;

class Remover {
 public:
  explicit Remover(const MayRemove& may_remove) : may_remove_(may_remove) {}

  void children(const os::UniqueFd& directory) {
    if (++depth_ > max_removal_depth) throw Error(Kind::invalid_input, "directories are nested too deeply");
    const auto inode = os::stat_of(directory).st_ino;
    for (const std::string& name : names_in(directory)) entry(directory.get(), inode, name);
    --depth_;
  }

  void entry(int parent, std::uint64_t parent_inode, const std::string& name) {
    struct ::stat found {};
    if (::fstatat(parent, name.c_str(), &found, AT_SYMLINK_NOFOLLOW) != 0) {
      if (errno == ENOENT) return;
      throw Error::from_errno(errno, "stat " + name);
    }
    const auto size = path_.size();
    if (!path_.empty()) path_ += '/';
    path_ += name;
    const bool is_directory = S_ISDIR(found.st_mode);
    if (is_directory) {
      children(os::UniqueFd(open_directory(parent, name)));
    }
    if (may_remove_({parent, parent_inode, name, path_, found})) unlink(parent, name, is_directory);
    path_.resize(size);
  }

 private:
  static int open_directory(int parent, const std::string& name) {
    const int fd = ::openat(parent, name.c_str(), O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0) throw Error::from_errno(errno, "open " + name);
    return fd;
  }

  static void unlink(int parent, const std::string& name, bool is_directory) {
    if (::unlinkat(parent, name.c_str(), is_directory ? AT_REMOVEDIR : 0) == 0) return;
    if (is_directory && (errno == ENOTEMPTY || errno == EEXIST)) return;
    throw Error::from_errno(errno, "remove " + name);
  }

  const MayRemove& may_remove_;
  std::string path_;
  int depth_ = 0;
};

}  // namespace

void remove_entry(int parent, const std::string& name, const MayRemove& may_remove) {
  struct ::stat found {};
  if (::fstatat(parent, "", &found, AT_EMPTY_PATH) != 0) throw Error::from_errno(errno, "stat a directory");
  Remover(may_remove).entry(parent, found.st_ino, name);
}

void remove_children(int directory, const MayRemove& may_remove) {
  Remover(may_remove).children(os::duplicate(directory));
}

}  // namespace lade::layer

#include "build/mount_targets.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "base/error.hpp"
#include "build/glob.hpp"
#include "layer/tree.hpp"
#include "os/file.hpp"

namespace lade::build {

namespace {

std::string readable_name(const std::string& path) {
  return path.empty() ? "." : path;
}

void set_mtime(const os::UniqueFd& directory, const std::timespec& mtime) {
  const std::array<std::timespec, 2> times{std::timespec{0, UTIME_OMIT}, mtime};
  if (::futimens(directory.get(), times.data()) != 0)
    throw Error::from_errno(errno, "set times of a directory");
}

}  // namespace

MountTargets::~MountTargets() {
  for (auto made = made_.rbegin(); made != made_.rend(); ++made) take_away(*made);
}

void MountTargets::make_one(const std::string& parent, const std::string& name, bool is_directory) {
  const auto directory = root_.open(readable_name(parent), O_RDONLY | O_DIRECTORY);
  const auto before = os::stat_of(directory).st_mtim;
  if (is_directory) {
    if (::mkdirat(directory.get(), name.c_str(), 0755) != 0)
      throw Error::from_errno(errno, "mkdir /" + parent + "/" + name);
  } else {
    (void)os::open_at(directory, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0644);
  }
  set_mtime(directory, before);
  made_.push_back({parent, name, is_directory, before});
}

void MountTargets::make(const std::string& path, bool is_directory) {
  const std::string clean = layer::clean_layer_name(path);
  if (clean.empty() || find_in_root(root_, clean, true)) return;
  std::string parent;
  for (std::size_t begin = 0; begin < clean.size();) {
    const std::size_t end = std::min(clean.find('/', begin), clean.size());
    const std::string name = clean.substr(begin, end - begin);
    const std::string here = parent.empty() ? name : parent + "/" + name;
    begin = end + 1;
    if (!find_in_root(root_, here, true)) {
      // A link to nothing: the runtime finds out what it makes of that.
      if (find_in_root(root_, here, false)) return;
      make_one(parent, name, is_directory || end < clean.size());
    }
    parent = here;
  }
}

// Only what is still as it was made.
void MountTargets::take_away(const Made& made) noexcept {
  try {
    const auto directory = root_.open(readable_name(made.parent), O_RDONLY | O_DIRECTORY);
    const auto now = os::stat_of(directory).st_mtim;
    struct ::stat found {};
    if (::fstatat(directory.get(), made.name.c_str(), &found, AT_SYMLINK_NOFOLLOW) != 0) return;
    const bool untouched =
        made.is_directory ? S_ISDIR(found.st_mode) : S_ISREG(found.st_mode) && found.st_size == 0;
    if (!untouched) return;
    if (::unlinkat(directory.get(), made.name.c_str(), made.is_directory ? AT_REMOVEDIR : 0) != 0) return;
    set_mtime(directory, now);
  } catch (const std::exception& error) {
    context_.log.warning(std::string("removing a mount target: ") + error.what());
  }
}

}  // namespace lade::build

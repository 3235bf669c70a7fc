#include "build/overlay_on_top.hpp"

#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "base/error.hpp"
#include "os/file.hpp"
#include "os/mount.hpp"

namespace lade::build {

namespace fs = std::filesystem;

OverlayOnTop::OverlayOnTop(const fs::path& source, const fs::path& upper, const fs::path& work,
                           const fs::path& target, bool rootless)
    : target_(target) {
  const bool is_new = !fs::exists(upper);
  for (const auto& path : {upper, work, target_}) os::mkdir_all(path, 0755);
  struct ::stat like {};
  if (::stat(source.c_str(), &like) != 0) throw Error::from_errno(errno, "stat " + source.string());
  if (is_new && (::chown(upper.c_str(), like.st_uid, like.st_gid) != 0 ||
                 ::chmod(upper.c_str(), like.st_mode & 07777) != 0))
    throw Error::from_errno(errno, "chown " + upper.string());
  os::mount_overlay({{source}, upper, work, target_, rootless ? "userxattr" : ""});
}

OverlayOnTop::~OverlayOnTop() {
  ::umount2(target_.c_str(), MNT_DETACH);
}

}  // namespace lade::build

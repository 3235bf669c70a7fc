#include "build/scratch_directory.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/mount.h>

#include <vector>

#include "os/file.hpp"
#include "runtime/host.hpp"

namespace lade::build {
namespace {

namespace fs = std::filesystem;

void unmount_all_below(const fs::path& directory) {
  const std::string below = directory.string() + "/";
  const auto points = runtime::mount_points();
  for (auto point = points.rbegin(); point != points.rend(); ++point)
    if (point->starts_with(below)) ::umount2(point->c_str(), MNT_DETACH);
}

os::TempDir make_scratch(const fs::path& parent, std::string_view prefix,
                         const std::function<void(const fs::path&)>& abandoned) {
  std::vector<fs::path> stale;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(parent, ignored))
    if (entry.path().filename().string().starts_with(prefix)) stale.push_back(entry.path());
  for (const auto& path : stale) {
    const auto lock = os::try_open_file(path, O_RDONLY | O_DIRECTORY);
    if (!lock || ::flock(lock->get(), LOCK_EX | LOCK_NB) != 0) continue;
    unmount_all_below(path);
    if (abandoned) abandoned(path);
    fs::remove_all(path, ignored);
  }
  return {parent, prefix};
}

}  // namespace

ScratchDirectory::ScratchDirectory(const Context& context, const fs::path& parent, std::string_view prefix,
                                   const std::function<void(const fs::path&)>& abandoned)
    : gate_(std::in_place, context, parent),
      directory_(make_scratch(parent, prefix, abandoned)),
      alive_(context, directory_.path()) {
  gate_.reset();
}

}  // namespace lade::build

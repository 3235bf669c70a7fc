#include "layer/names.hpp"

#include <dirent.h>
#include <fmt/format.h>

#include <cerrno>
#include <memory>
#include <string_view>

#include "base/error.hpp"

namespace lade::layer {

namespace {

struct CloseDirectory {
  void operator()(DIR* directory) const { ::closedir(directory); }
};

}  // namespace

std::vector<std::string> names_in(const os::UniqueFd& directory) {
  os::UniqueFd copy = os::open_at(directory, ".", O_RDONLY | O_DIRECTORY);
  const std::unique_ptr<DIR, CloseDirectory> stream(::fdopendir(copy.get()));
  if (!stream) throw Error::from_errno(errno, "read a directory");
  copy.release();
  std::vector<std::string> names;
  for (;;) {
    errno = 0;
    const dirent* entry = ::readdir(stream.get());
    if (entry == nullptr && errno != 0) throw Error::from_errno(errno, "read a directory");
    if (entry == nullptr) return names;
    const std::string_view name = entry->d_name;
    if (name != "." && name != "..") names.emplace_back(name);
  }
}

std::string path_at(int directory, std::string_view name) {
  return fmt::format("/proc/self/fd/{}/{}", directory, name);
}

}  // namespace lade::layer

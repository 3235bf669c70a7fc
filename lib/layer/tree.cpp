#include "layer/tree.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <climits>

#include "archive/tar_header.hpp"
#include "base/error.hpp"
#include "os/file.hpp"

namespace lade::layer {

std::string clean_layer_name(std::string_view name) {
  std::string clean = archive::clean_name(name);
  if (clean == "..") clean.clear();
  std::size_t begin = 0;
  while (clean.compare(begin, 3, "../") == 0) begin += 3;
  clean.erase(0, begin);
  if (clean == "..") clean.clear();
  if (clean.size() >= PATH_MAX) throw Error(Kind::invalid_input, "a name in the layer is too long");
  return clean;
}

Tree::Tree(const os::UniqueFd& root, bool with_inodes, Make make)
    : root_(os::open_at(root, ".", O_PATH | O_DIRECTORY)), with_inodes_(with_inodes), make_(std::move(make)) {
  Directory top;
  top.fd = os::duplicate(root_.fd().get());
  if (with_inodes_) top.inode = os::stat_of(top.fd).st_ino;
  levels_.push_back(std::move(top));
}

void Tree::forget() {
  levels_.erase(levels_.begin() + 1, levels_.end());
  path_.clear();
}

bool Tree::is_link(const std::string& name) const {
  struct ::stat found {};
  return ::fstatat(levels_.back().fd.get(), name.c_str(), &found, AT_SYMLINK_NOFOLLOW) == 0 &&
         S_ISLNK(found.st_mode);
}

// One step, to `name` at the end of `path`.
bool Tree::descend(std::string_view path, std::string_view step, bool make) {
  constexpr int flags = O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
  const std::string name(step);
  const Directory& parent = levels_.back();
  Directory next;
  next.through_link = parent.through_link;
  next.path_size = path.size();
  next.fd.reset(::openat(parent.fd.get(), name.c_str(), flags));
  if (!next.fd.is_open()) {
    const int error = errno;
    if (error != ENOENT && error != ENOTDIR && error != ELOOP)
      throw Error::from_errno(error, "open a directory");
    if (error != ENOENT && is_link(name)) {
      next.fd = root_.open(path, O_PATH | O_DIRECTORY);
      next.through_link = true;
    } else if (make && make_ && make_(parent, name, error)) {
      next.fd = os::open_at(parent.fd, name, flags);
    } else {
      return false;
    }
  }
  if (with_inodes_) next.inode = os::stat_of(next.fd).st_ino;
  if (levels_.size() > max_open) levels_.back().fd.reset();
  levels_.push_back(std::move(next));
  path_ = path;
  return true;
}

const Tree::Directory* Tree::find(std::string_view path, bool make) {
  const auto leads_on = [&](const Directory& level) {
    const auto size = level.path_size;
    return size == 0 ||
           (path.size() >= size && path.substr(0, size) == std::string_view(path_).substr(0, size) &&
            (path.size() == size || path[size] == '/'));
  };
  while (!leads_on(levels_.back()) || !levels_.back().fd.is_open()) levels_.pop_back();
  path_.resize(levels_.back().path_size);
  while (path_.size() < path.size()) {
    const std::size_t begin = path_.empty() ? 0 : path_.size() + 1;
    const std::size_t end = std::min(path.find('/', begin), path.size());
    if (!descend(path.substr(0, end), path.substr(begin, end - begin), make)) return nullptr;
  }
  return &levels_.back();
}

}  // namespace lade::layer

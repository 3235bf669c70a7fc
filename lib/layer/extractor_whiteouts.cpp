#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <climits>

#include "base/error.hpp"
#include "base/scope_exit.hpp"
#include "layer/extractor.hpp"
#include "layer/whiteout.hpp"

namespace lade::layer {

namespace {

struct ::stat stat_at(int parent, const std::string& name) {
  struct ::stat found {};
  if (::fstatat(parent, name.c_str(), &found, AT_SYMLINK_NOFOLLOW) != 0)
    throw Error::from_errno(errno, "stat");
  return found;
}

bool is_whiteout_device(const struct ::stat& found) {
  return S_ISCHR(found.st_mode) && found.st_rdev == 0;
}

std::string open_path(int fd) {
  std::array<char, PATH_MAX> target{};
  const auto link = "/proc/self/fd/" + std::to_string(fd);
  const auto size = ::readlink(link.c_str(), target.data(), target.size());
  if (size < 0) throw Error::from_errno(errno, "read " + link);
  return std::string(target.data(), static_cast<std::size_t>(size));
}

std::uint64_t own_key(std::uint64_t parent_inode, std::string_view name) {
  return archive::NameSet::hash(name) ^ parent_inode * 0x9E3779B97F4A7C15U;
}

}  // namespace

bool Extractor::make_missing(const Tree::Directory& parent, const std::string& name, int error) {
  const int fd = parent.fd.get();
  if (error != ENOENT) {
    const bool revived = options_.whiteouts == Whiteouts::overlay && revive_whiteouts_ &&
                         is_whiteout_device(stat_at(fd, name));
    if (!revived) return false;
    if (::unlinkat(fd, name.c_str(), 0) != 0) throw Error::from_errno(errno, "remove a whiteout");
  }
  if (::mkdirat(fd, name.c_str(), Attributes::missing_mode) != 0)
    throw Error::from_errno(errno, "mkdir " + name);
  attributes_.begin_missing_directory({fd, name, name});
  // What the whiteout hid stays hidden.
  if (error != ENOENT) attributes_.set_opaque(os::open_at(parent.fd, name, O_PATH).get());
  return true;
}

// Where an open directory is, from the root of the layer and without links.
std::string Extractor::real_path(const Tree::Directory& directory) const {
  const std::string root = open_path(directory_.get());
  std::string path = open_path(directory.fd.get());
  path.erase(0, root == "/" ? 0 : root.size());
  return path.starts_with('/') ? path.substr(1) : path;
}

void Extractor::keep_content(const Removal& removal, const std::string& above) {
  if (kept_ == nullptr || !S_ISREG(removal.stat.st_mode) || removal.stat.st_size == 0) return;
  const std::string path = above.empty() ? removal.path : above + "/" + removal.path;
  if (seen_.contains(archive::NameSet::hash(path))) kept_->keep(removal.parent, removal.name, path);
}

bool Extractor::make_room(Target& target) {
  const int parent = target.parent->fd.get();
  const auto there = stat_at(parent, target.name);
  const std::string above = kept_ == nullptr ? std::string() : real_path(*target.parent);
  remove_entry(parent, target.name, [&](const Removal& removal) {
    keep_content(removal, above);
    return true;
  });
  if (S_ISDIR(there.st_mode) || S_ISLNK(there.st_mode)) {
    tree_.forget();
    links_.forget();
    target.parent = tree_.find(parent_of(target.path), false);
    if (target.parent == nullptr) throw Error::from_errno(ENOTDIR, "open a directory");
  }
  return options_.whiteouts == Whiteouts::overlay && is_whiteout_device(there);
}

// Below a name that only stands for a whiteout. Files of aufs are left out; nobody else makes such names.
bool Extractor::is_hidden(const std::string& path) const {
  for (std::string_view above = parent_of(path); !above.empty(); above = parent_of(above)) {
    const auto name = base_of(above);
    if (name.starts_with(whiteout_meta_prefix) && name != opaque_whiteout) return true;
    if (is_whiteout(name)) throw Error(Kind::invalid_input, "a file below a whiteout");
  }
  return false;
}

void Extractor::whiteout(const std::string& path, const Header& header) {
  const std::string_view base = base_of(path);
  if (base.starts_with(whiteout_meta_prefix) && base != opaque_whiteout) return;
  const std::string name(base.substr(whiteout_prefix.size()));
  if (name.empty() || name == "." || name == "..") throw Error(Kind::invalid_input, "a whiteout of nothing");
  const bool overlay = options_.whiteouts == Whiteouts::overlay;
  // "rm -r d" can leave both ".wh.d" and "d/.wh.f": the first says it all.
  revive_whiteouts_ = false;
  const ScopeExit revive([this] { revive_whiteouts_ = true; });
  const Tree::Directory* parent = tree_.find(parent_of(path), overlay);
  if (parent == nullptr) return;
  const int fd = parent->fd.get();
  const bool opaque = base == opaque_whiteout;
  if (overlay) return opaque ? attributes_.set_opaque(fd) : hide_in_overlay(*parent, name, header);
  const MayRemove prune = [this](const Removal& removal) { return may_prune(removal); };
  opaque ? remove_children(fd, prune) : remove_entry(fd, name, prune);
  tree_.forget();
  links_.forget();
}

// A whiteout is about the layers below. If this layer has a directory of that name, nothing below shines
// through it; a file hides what is below anyway.
void Extractor::hide_in_overlay(const Tree::Directory& parent, const std::string& name,
                                const Header& header) {
  const int fd = parent.fd.get();
  if (::mknodat(fd, name.c_str(), S_IFCHR, 0) == 0)
    return attributes_.finish_whiteout({fd, name, name}, header);
  if (errno != EEXIST) throw Error::from_errno(errno, "create a whiteout");
  if (S_ISDIR(stat_at(fd, name).st_mode)) attributes_.set_opaque(os::open_at(parent.fd, name, O_PATH).get());
}

bool Extractor::may_prune(const Removal& removal) const {
  return !own_.contains(own_key(removal.parent_inode, removal.name));
}

void Extractor::mark_own(const Target& target) {
  if (options_.whiteouts == Whiteouts::remove) own_.insert(own_key(target.parent->inode, target.name));
}

}  // namespace lade::layer

#include "layer/diff.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <deque>
#include <string>
#include <utility>

#include "base/error.hpp"
#include "layer/names.hpp"
#include "layer/tar_items.hpp"
#include "layer/whiteout.hpp"
#include "os/file.hpp"

namespace lade::layer {

namespace {

// How many directories on the way down stay open.
constexpr std::size_t max_open_levels = 64;
constexpr std::size_t max_levels = 2048;
// What fuse-overlayfs leaves in a directory that hides what is below.
constexpr std::string_view fuse_opaque_device = ".wh..opq";

std::optional<struct ::stat> find_stat(const os::UniqueFd& parent, const std::string& name) {
  struct ::stat found {};
  if (::fstatat(parent.get(), name.c_str(), &found, AT_SYMLINK_NOFOLLOW) == 0) return found;
  if (errno == ENOENT) return std::nullopt;
  throw Error::from_errno(errno, "stat " + name);
}

std::vector<std::string> sorted_names(const os::UniqueFd& directory) {
  auto names = names_in(directory);
  std::sort(names.begin(), names.end());
  return names;
}

os::UniqueFd open_below(const os::UniqueFd& parent, const std::string& name) {
  return os::open_at(parent, name, O_PATH | O_DIRECTORY | O_NOFOLLOW);
}

// One side of the walk: a tree, and its open directories from the root down.
class Side {
 public:
  explicit Side(const os::UniqueFd& directory) : root_(os::open_at(directory, ".", O_PATH | O_DIRECTORY)) {
    levels_.push_back(os::duplicate(root_.fd().get()));
  }

  // The directory `path`, which is the innermost that was entered.
  const os::UniqueFd& here(const std::string& path) {
    if (!levels_.back().is_open()) levels_.back() = root_.open(path, O_PATH | O_DIRECTORY | O_NOFOLLOW);
    return levels_.back();
  }
  void enter(os::UniqueFd directory) {
    if (levels_.size() > max_open_levels) levels_.back().reset();
    levels_.push_back(std::move(directory));
  }
  void leave() { levels_.pop_back(); }

 private:
  os::Root root_;
  std::vector<os::UniqueFd> levels_;
};

struct Level {
  std::string path;
  std::vector<std::string> names;
  std::size_t next = 0;
  bool in_lower = false;          // the other tree has this directory too
  std::optional<TarItem> unsaid;  // itself: unchanged, needed only if something in it is not
};

// Items of the tree, depth first, names sorted.
class Walk {
 public:
  Walk(const Context& context, const os::UniqueFd& upper, DiffOptions options)
      : context_(context), options_(std::move(options)), items_(options_), upper_(upper) {}
  virtual ~Walk() = default;

  std::optional<TarItem> next() {
    while (ready_.empty() && !levels_.empty()) {
      Level& level = levels_.back();
      if (level.next == level.names.size()) {
        leave();
        continue;
      }
      context_.throw_if_stopped();
      const std::string name = level.names[level.next++];
      const std::string path = level.path.empty() ? name : level.path + "/" + name;
      in_context([&] { return "reading " + path; }, [&] { visit(name, path); });
    }
    if (ready_.empty()) return std::nullopt;
    TarItem item = std::move(ready_.front());
    ready_.pop_front();
    return item;
  }

 protected:
  virtual void visit(const std::string& name, const std::string& path) = 0;
  virtual void leave() {
    levels_.pop_back();
    upper_.leave();
  }

  const os::UniqueFd& here() { return upper_.here(levels_.back().path); }

  void push(Level level) {
    if (levels_.size() == max_levels) throw Error(Kind::invalid_input, "directories are nested too deeply");
    levels_.push_back(std::move(level));
  }

  // With the directories on the way to it.
  void say(TarItem item) {
    for (Level& level : levels_) {
      if (level.unsaid) add(std::move(*level.unsaid));
      level.unsaid.reset();
    }
    add(std::move(item));
  }

  const Context& context_;
  DiffOptions options_;
  TarItems items_;
  Side upper_;
  std::vector<Level> levels_;

 private:
  void add(TarItem item) {
    if (!options_.leave_out || !options_.leave_out(item.header)) ready_.push_back(std::move(item));
  }

  std::deque<TarItem> ready_;
};

// Whether `root`, an overlay layer, hides what lower ones have under this name.
bool is_opaque_below(const os::Root& root, const std::string& path) {
  const os::UniqueFd directory = root.open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  bool opaque = false;
  const std::string self = ".";
  xattrs_of({directory, self, path, os::stat_of(directory)}, &opaque);
  return opaque;
}

// The directory that the layers below show under a name.
class LowerDirectories {
 public:
  explicit LowerDirectories(const std::vector<std::shared_ptr<const os::Root>>& lowers) : lowers_(lowers) {}

  // The layer that has it; nullptr if it is no directory below.
  const os::Root* find(const std::string& path) const {
    for (const auto& lower : lowers_) {
      const auto seen = look(*lower, path);
      if (seen == Seen::here) return lower.get();
      if (seen == Seen::hidden) return nullptr;
    }
    return nullptr;
  }

 private:
  enum class Seen { here, maybe_below, hidden };

  static Seen look(const os::Root& lower, const std::string& path) {
    for (std::size_t end = path.find('/');; end = path.find('/', end + 1)) {
      const std::string part = path.substr(0, end);
      const auto stat = stat_in(lower, part);
      if (!stat) return Seen::maybe_below;
      if (!S_ISDIR(stat->st_mode)) return Seen::hidden;
      if (end == std::string::npos) return Seen::here;
      if (is_opaque_below(lower, part)) return has(lower, path) ? Seen::here : Seen::hidden;
    }
  }

  static std::optional<struct ::stat> stat_in(const os::Root& root, const std::string& path) {
    try {
      const os::UniqueFd fd = root.open(path, O_PATH | O_NOFOLLOW);
      struct ::stat stat {};
      if (::fstat(fd.get(), &stat) != 0) throw Error::from_errno(errno, "stat " + path);
      return stat;
    } catch (const Error& error) {
      if (error.kind() != Kind::not_found && error.kind() != Kind::system) throw;
      return std::nullopt;
    }
  }

  static bool has(const os::Root& root, const std::string& path) {
    const auto stat = stat_in(root, path);
    return stat && S_ISDIR(stat->st_mode);
  }

  const std::vector<std::shared_ptr<const os::Root>>& lowers_;
};

// A layer's own directory.
class OverlayWalk final : public Walk {
 public:
  OverlayWalk(const Context& context, const os::UniqueFd& directory, DiffOptions options)
      : Walk(context, directory, std::move(options)) {
    push({"", sorted_names(directory), 0, false, std::nullopt});
    // The root has no entry, but what fuse-overlayfs says about it is kept.
    if (drop_markers(levels_.back().names)) say(items_.opaque_marker({}));
  }

 private:
  void visit(const std::string& name, const std::string& path) override {
    const auto stat = find_stat(here(), name);
    if (!stat) return;
    if (S_ISCHR(stat->st_mode) && stat->st_rdev == 0) return say(items_.whiteout(path, &*stat));
    const Found found{here(), name, path, *stat};
    bool opaque = false;
    auto item = items_.make(found, &opaque);
    if (!item) return;
    if (!S_ISDIR(stat->st_mode)) return say(std::move(*item));
    os::UniqueFd directory = open_below(here(), name);
    Level level{path, sorted_names(directory), 0, false, std::nullopt};
    opaque |= drop_markers(level.names);
    const auto header = item->header;
    if (!opaque && is_unchanged(found)) {
      level.unsaid = std::move(*item);
    } else {
      say(std::move(*item));
      if (opaque && hides_something(path)) say(items_.opaque_marker(header));
    }
    upper_.enter(std::move(directory));
    push(std::move(level));
  }

  // True if there were some: they are said otherwise.
  static bool drop_markers(std::vector<std::string>& names) {
    return std::erase_if(names, [](const std::string& name) {
             return name == opaque_whiteout || name == fuse_opaque_device;
           }) > 0;
  }

  // Only copied up, for something that was changed in it, or was there for a while.
  bool is_unchanged(const Found& found) const {
    if (!options_.without_unchanged_directories || !options_.lowers) return false;
    const os::Root* lower = LowerDirectories(*options_.lowers).find(found.path);
    if (lower == nullptr) return false;
    const os::UniqueFd directory = lower->open(found.path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
    const auto stat = os::stat_of(directory);
    const std::string self = ".";
    return stat.st_mode == found.stat.st_mode && stat.st_uid == found.stat.st_uid &&
           stat.st_gid == found.stat.st_gid && stat.st_mtim.tv_sec == found.stat.st_mtim.tv_sec &&
           stat.st_mtim.tv_nsec == found.stat.st_mtim.tv_nsec &&
           xattrs_of({directory, self, found.path, stat}) == xattrs_of(found);
  }

  bool hides_something(const std::string& path) const {
    if (!options_.lowers) return true;
    return std::any_of(options_.lowers->begin(), options_.lowers->end(), [&path](const auto& lower) {
      try {
        return lower->open(path, O_PATH | O_NOFOLLOW).is_open();
      } catch (const Error& error) {
        if (error.kind() != Kind::not_found && error.kind() != Kind::system) throw;
        return false;
      }
    });
  }
};

// Two whole trees.
class TreesWalk final : public Walk {
 public:
  TreesWalk(const Context& context, const os::UniqueFd& lower, const os::UniqueFd& upper, DiffOptions options)
      : Walk(context, upper, std::move(options)), lower_(lower) {
    push({"", names_of_both(lower, upper), 0, true, std::nullopt});
  }

 private:
  static std::vector<std::string> names_of_both(const os::UniqueFd& lower, const os::UniqueFd& upper) {
    auto names = names_in(upper);
    auto others = names_in(lower);
    names.insert(names.end(), std::make_move_iterator(others.begin()), std::make_move_iterator(others.end()));
    std::sort(names.begin(), names.end());
    names.erase(std::unique(names.begin(), names.end()), names.end());
    return names;
  }

  void visit(const std::string& name, const std::string& path) override {
    const bool in_lower = levels_.back().in_lower;
    const auto stat = find_stat(here(), name);
    const auto old = in_lower ? find_stat(lower_.here(levels_.back().path), name) : std::nullopt;
    if (!stat) {
      if (old) say(items_.whiteout(path, nullptr));
      return;
    }
    const Found found{here(), name, path, *stat};
    const bool same = old && is_same({lower_.here(levels_.back().path), name, path, *old}, found);
    const bool is_directory = S_ISDIR(stat->st_mode);
    if (same && !is_directory) return;
    auto item = items_.make(found);
    if (!item) return;
    if (!is_directory) return say(std::move(*item));
    enter(name, path, old && S_ISDIR(old->st_mode), same, std::move(*item));
  }

  void enter(const std::string& name, const std::string& path, bool in_lower, bool same, TarItem item) {
    os::UniqueFd directory = open_below(here(), name);
    Level level{path, {}, 0, in_lower, std::nullopt};
    if (in_lower) {
      os::UniqueFd other = open_below(lower_.here(levels_.back().path), name);
      level.names = names_of_both(other, directory);
      lower_.enter(std::move(other));
    } else {
      level.names = sorted_names(directory);
    }
    if (same) {
      level.unsaid = std::move(item);
    } else {
      say(std::move(item));
    }
    upper_.enter(std::move(directory));
    push(std::move(level));
  }

  void leave() override {
    if (levels_.back().in_lower) lower_.leave();
    Walk::leave();
  }

  // Archives and some file systems know whole seconds only.
  static bool is_same_time(const std::timespec& a, const std::timespec& b) {
    return a.tv_sec == b.tv_sec && (a.tv_nsec == b.tv_nsec || a.tv_nsec == 0 || b.tv_nsec == 0);
  }

  static bool is_same(const Found& a, const Found& b) {
    const auto &x = a.stat, &y = b.stat;
    if (x.st_dev == y.st_dev && x.st_ino == y.st_ino) return true;
    if (x.st_mode != y.st_mode || x.st_uid != y.st_uid || x.st_gid != y.st_gid) return false;
    const bool is_device = S_ISCHR(x.st_mode) || S_ISBLK(x.st_mode);
    if (is_device && x.st_rdev != y.st_rdev) return false;
    if (!S_ISDIR(x.st_mode) && (x.st_size != y.st_size || !is_same_time(x.st_mtim, y.st_mtim))) return false;
    if (S_ISLNK(x.st_mode) && link_target(a) != link_target(b)) return false;
    return xattrs_of(a) == xattrs_of(b);
  }

  Side lower_;
};

std::unique_ptr<io::Reader> reader_of(std::shared_ptr<Walk> walk) {
  return std::make_unique<TarItemReader>([walk = std::move(walk)] { return walk->next(); });
}

}  // namespace

std::unique_ptr<io::Reader> diff(const Context& context, const os::UniqueFd& directory, DiffOptions options) {
  return reader_of(std::make_shared<OverlayWalk>(context, directory, std::move(options)));
}

std::unique_ptr<io::Reader> diff_trees(const Context& context, const os::UniqueFd& lower,
                                       const os::UniqueFd& upper, DiffOptions options) {
  return reader_of(std::make_shared<TreesWalk>(context, lower, upper, std::move(options)));
}

}  // namespace lade::layer

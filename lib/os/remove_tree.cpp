#include "os/remove_tree.hpp"

#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <memory>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "os/unique_fd.hpp"

namespace lade::os {

namespace {

// Each level keeps a descriptor open; what lies deeper is moved to the top first.
constexpr int max_removal_depth = 64;

class TreeRemover {
 public:
  TreeRemover(UniqueFd parent, std::string name) : parent_(std::move(parent)), name_(std::move(name)) {}

  void run() {
    remove(parent_, name_, 0);
    while (!moved_.empty()) {
      const std::string next = std::move(moved_.back());
      moved_.pop_back();
      remove(parent_, next, 0);
    }
  }

 private:
  void remove(const UniqueFd& directory, const std::string& name, int depth) {
    if (unlink(directory, name, 0)) return;
    if (errno != EISDIR && errno != EPERM && errno != ENOTEMPTY) fail(name);
    if (depth > max_removal_depth) return move_up(directory, name);
    empty(open_to_empty(directory, name), depth);
    if (!unlink(directory, name, AT_REMOVEDIR)) fail(name);
  }

  // True if it is gone.
  static bool unlink(const UniqueFd& directory, const std::string& name, int flags) {
    if (::unlinkat(directory.get(), name.c_str(), flags) == 0 || errno == ENOENT) return true;
    if (errno != EACCES) return false;
    // The directory itself is not ours to write in, yet.
    return ::fchmod(directory.get(), 0700) == 0 && ::unlinkat(directory.get(), name.c_str(), flags) == 0;
  }

  UniqueFd open_to_empty(const UniqueFd& directory, const std::string& name) {
    constexpr int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
    UniqueFd fd(::openat(directory.get(), name.c_str(), flags));
    if (!fd.is_open() && errno == EACCES && ::fchmodat(directory.get(), name.c_str(), 0700, 0) == 0)
      fd.reset(::openat(directory.get(), name.c_str(), flags));
    if (!fd.is_open()) fail(name);
    return fd;
  }

  void empty(UniqueFd fd, int depth) {
    const int raw = fd.get();
    const std::unique_ptr<DIR, int (*)(DIR*)> entries(::fdopendir(raw), ::closedir);
    if (!entries) fail("a directory");
    const UniqueFd borrowed = duplicate(fd.release());
    while (const dirent* entry = ::readdir(entries.get())) {
      const std::string name = entry->d_name;
      if (name != "." && name != "..") remove(borrowed, name, depth + 1);
    }
  }

  void move_up(const UniqueFd& directory, const std::string& name) {
    std::string target = name_;
    target.append(".").append(std::to_string(count_++)).append(".deep");
    if (::renameat(directory.get(), name.c_str(), parent_.get(), target.c_str()) != 0) fail(name);
    moved_.push_back(std::move(target));
  }

  [[noreturn]] static void fail(const std::string& name) { throw Error::from_errno(errno, "remove " + name); }

  UniqueFd parent_;
  std::string name_;
  std::vector<std::string> moved_;
  int count_ = 0;
};

}  // namespace

void remove_tree(const std::filesystem::path& path) {
  struct ::stat status {};
  if (::lstat(path.c_str(), &status) != 0 && errno == ENOENT) return;
  const auto parent = path.has_parent_path() ? path.parent_path() : std::filesystem::path(".");
  in_context([&] { return "removing " + path.string(); },
             [&] { TreeRemover(open_file(parent, O_RDONLY | O_DIRECTORY), path.filename().string()).run(); });
}

}  // namespace lade::os

#include "os/copy_tree.hpp"

#include <dirent.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cerrno>
#include <map>
#include <string>
#include <vector>

#include "os/file.hpp"
#include "os/unique_fd.hpp"

namespace lade::os {

namespace {

// Of a tree that a hostile image made.
constexpr int max_copy_depth = 300;

std::string descriptor_path(const UniqueFd& fd, const std::string& name) {
  return "/proc/self/fd/" + std::to_string(fd.get()) + "/" + name;
}

class TreeCopier {
 public:
  // `root`: of the copy.
  TreeCopier(const Context& context, const CopyTreeOptions& options, const UniqueFd& root)
      : context_(context), options_(options), root_(root) {}

  void copy_directory(const UniqueFd& from, const UniqueFd& to, int depth) {
    if (depth > max_copy_depth) throw Error(Kind::invalid_input, "directories are nested too deeply");
    for (const auto& name : names_in(from)) {
      context_.throw_if_stopped();
      const std::size_t length = path_.size();
      path_.append(path_.empty() ? "" : "/").append(name);
      in_context([&] { return name; }, [&] { copy_entry(from, to, name, depth); });
      path_.resize(length);
    }
  }

  void copy_attributes(const std::string& from, const std::string& to, const struct ::stat& status) {
    if (::lchown(to.c_str(), status.st_uid, status.st_gid) != 0 && !options_.ignore_chown_errors)
      throw Error::from_errno(errno, "chown");
    if (!S_ISLNK(status.st_mode) && ::chmod(to.c_str(), status.st_mode & 07777) != 0)
      throw Error::from_errno(errno, "chmod");
    copy_xattrs(from, to);
    const struct ::timespec times[2] = {status.st_atim, status.st_mtim};
    if (::utimensat(AT_FDCWD, to.c_str(), times, AT_SYMLINK_NOFOLLOW) != 0)
      throw Error::from_errno(errno, "utimensat");
  }

 private:
  static std::vector<std::string> names_in(const UniqueFd& directory) {
    UniqueFd own = open_at(directory, ".", O_RDONLY | O_DIRECTORY);
    const std::unique_ptr<DIR, int (*)(DIR*)> entries(::fdopendir(own.get()), ::closedir);
    if (!entries) throw Error::from_errno(errno, "read a directory");
    own.release();
    std::vector<std::string> result;
    while (const dirent* entry = ::readdir(entries.get())) {
      std::string name = entry->d_name;
      if (name != "." && name != "..") result.push_back(std::move(name));
    }
    return result;
  }

  void copy_entry(const UniqueFd& from, const UniqueFd& to, const std::string& name, int depth) {
    struct ::stat status {};
    if (::fstatat(from.get(), name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0)
      throw Error::from_errno(errno, "stat");
    if (link_known(status, to, name) || !create(from, to, name, status, depth)) return;
    copy_attributes(descriptor_path(from, name), descriptor_path(to, name), status);
    if (status.st_nlink > 1 && !S_ISDIR(status.st_mode))
      links_.try_emplace({status.st_dev, status.st_ino}, path_);
  }

  bool link_known(const struct ::stat& status, const UniqueFd& to, const std::string& name) {
    if (status.st_nlink < 2 || S_ISDIR(status.st_mode)) return false;
    const auto known = links_.find({status.st_dev, status.st_ino});
    if (known == links_.end()) return false;
    if (::linkat(root_.get(), known->second.c_str(), to.get(), name.c_str(), 0) != 0)
      throw Error::from_errno(errno, "link");
    return true;
  }

  // False if it is left out.
  bool create(const UniqueFd& from, const UniqueFd& to, const std::string& name, const struct ::stat& status,
              int depth) {
    switch (status.st_mode & S_IFMT) {
      case S_IFDIR: {
        if (::mkdirat(to.get(), name.c_str(), 0700) != 0) throw Error::from_errno(errno, "mkdir");
        copy_directory(open_at(from, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW),
                       open_at(to, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW), depth + 1);
        return true;
      }
      case S_IFREG: copy_file(from, to, name); return true;
      case S_IFLNK: copy_link(from, to, name, static_cast<std::size_t>(status.st_size)); return true;
      case S_IFIFO:
      case S_IFCHR:
      case S_IFBLK: return make_node(to, name, status);
      default: return false;
    }
  }

  static void copy_file(const UniqueFd& from, const UniqueFd& to, const std::string& name) {
    const UniqueFd in = open_at(from, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
    const UniqueFd out = open_at(to, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0600);
    if (::ioctl(out.get(), FICLONE, in.get()) == 0) return;
    constexpr std::size_t at_once = 1 << 30;
    ssize_t count = 0;
    do {
      count = ::copy_file_range(in.get(), nullptr, out.get(), nullptr, at_once, 0);
    } while (count > 0);
    if (count == 0) return;
    if (errno != EXDEV && errno != EINVAL && errno != ENOSYS && errno != EOPNOTSUPP)
      throw Error::from_errno(errno, "copy");
    FileReader reader(duplicate(in.get()));
    FileWriter writer(duplicate(out.get()));
    io::copy(reader, writer);
  }

  static void copy_link(const UniqueFd& from, const UniqueFd& to, const std::string& name, std::size_t size) {
    std::string target(size + 1, '\0');
    const auto length = ::readlinkat(from.get(), name.c_str(), target.data(), target.size());
    if (length < 0) throw Error::from_errno(errno, "readlink");
    target.resize(static_cast<std::size_t>(length));
    if (::symlinkat(target.c_str(), to.get(), name.c_str()) != 0) throw Error::from_errno(errno, "symlink");
  }

  bool make_node(const UniqueFd& to, const std::string& name, const struct ::stat& status) const {
    if (::mknodat(to.get(), name.c_str(), status.st_mode, status.st_rdev) == 0) return true;
    if (options_.rootless && errno == EPERM && !S_ISFIFO(status.st_mode)) return false;
    throw Error::from_errno(errno, "mknod");
  }

  void copy_xattrs(const std::string& from, const std::string& to) const {
    std::string names(XATTR_LIST_MAX, '\0');
    const auto size = ::llistxattr(from.c_str(), names.data(), names.size());
    if (size <= 0) return;
    std::string value(XATTR_SIZE_MAX, '\0');
    for (const char* name = names.data(); name < names.data() + size;
         name += std::string_view(name).size() + 1) {
      if (std::string_view(name) == "security.selinux") continue;
      const auto length = ::lgetxattr(from.c_str(), name, value.data(), value.size());
      if (length < 0) continue;
      if (::lsetxattr(to.c_str(), name, value.data(), static_cast<std::size_t>(length), 0) == 0) continue;
      if (errno == ENOTSUP || (options_.rootless && errno == EPERM)) continue;
      throw Error::from_errno(errno, std::string("set the attribute ") + name);
    }
  }

  const Context& context_;
  const CopyTreeOptions& options_;
  const UniqueFd& root_;
  std::string path_;                                      // of the entry, in the copy
  std::map<std::pair<dev_t, ino_t>, std::string> links_;  // first paths of files with several names
};

}  // namespace

void copy_tree(const Context& context, const std::filesystem::path& source,
               const std::filesystem::path& target, const CopyTreeOptions& options) {
  in_context([&] { return "copying " + source.string() + " to " + target.string(); },
             [&] {
               const UniqueFd from = open_file(source, O_RDONLY | O_DIRECTORY);
               if (::mkdir(target.c_str(), 0700) != 0)
                 throw Error::from_errno(errno, "mkdir " + target.string());
               const UniqueFd to = open_file(target, O_RDONLY | O_DIRECTORY);
               TreeCopier copier(context, options, to);
               copier.copy_directory(from, to, 0);
               copier.copy_attributes(source.string(), target.string(), stat_of(from));
             });
}

}  // namespace lade::os

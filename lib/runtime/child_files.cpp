#include "runtime/child_files.hpp"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <climits>
#include <cstring>

#include "runtime/child.hpp"

namespace lade::runtime {
namespace {

constexpr int most_link_depth = 10;

int raw_openat2(int root, const char* path, std::uint64_t flags, std::uint64_t resolve) {
  open_how how{};
  how.flags = flags | O_CLOEXEC;
  how.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS | resolve;
  // EAGAIN: something was renamed while ".." was resolved.
  for (int attempt = 0;; ++attempt) {
    const auto fd = ::syscall(SYS_openat2, root, path, &how, sizeof how);
    if (fd >= 0 || errno != EAGAIN || attempt == 100) return fd < 0 ? -errno : static_cast<int>(fd);
  }
}

// Before Linux 5.6: one component after the other, without symbolic links.
int walk_below(int root, const char* path, std::uint64_t flags) {
  int fd = ::openat(root, ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return -errno;
  while (*path != 0) {
    while (*path == '/') ++path;
    const char* end = path;
    while (*end != 0 && *end != '/') ++end;
    const auto length = static_cast<std::size_t>(end - path);
    if (length == 0) break;
    char name[NAME_MAX + 1];
    if (length > NAME_MAX) return ::close(fd), -ENAMETOOLONG;
    std::memcpy(name, path, length);
    name[length] = 0;
    if (std::strcmp(name, "..") == 0) return ::close(fd), -EXDEV;
    const bool last = *end == 0 || end[std::strspn(end, "/")] == 0;
    const int next = ::openat(fd, name, (last ? static_cast<int>(flags) : O_PATH) | O_NOFOLLOW | O_CLOEXEC);
    const int error = errno;
    ::close(fd);
    if (next < 0) return -error;
    struct stat info;
    if (::fstat(next, &info) == 0 && S_ISLNK(info.st_mode)) return ::close(next), -ELOOP;
    fd = next;
    path = end;
  }
  return fd;
}

class ChildFd {
 public:
  explicit ChildFd(int fd) : fd_(fd) {}
  ChildFd(const ChildFd&) = delete;
  ChildFd& operator=(const ChildFd&) = delete;
  ~ChildFd() {
    if (fd_ >= 0) ::close(fd_);
  }
  int get() const { return fd_; }
  int release() {
    const int fd = fd_;
    fd_ = -1;
    return fd;
  }

 private:
  int fd_;
};

// Where a dangling symbolic link leads, as a path below the root. False if it does not fit.
bool join_link(char* out, const char* parent, const char* link) {
  const std::size_t parent_length = link[0] == '/' ? 0 : std::strlen(parent);
  const std::size_t link_length = std::strlen(link);
  if (parent_length + 1 + link_length + 1 > PATH_MAX) return false;
  std::memcpy(out, parent, parent_length);
  out[parent_length] = '/';
  std::memcpy(out + parent_length + 1, link, link_length + 1);
  return true;
}

int make_missing(int root, const char* path, bool directory, int depth);

// `name` in `parent` is missing or a link that leads to nothing; `parent_path` is its path.
int make_entry(int root, int parent, const char* parent_path, const char* name, bool directory, int depth) {
  if (directory) {
    if (::mkdirat(parent, name, 0755) == 0) return 0;
  } else {
    const int fd = ::openat(parent, name, O_CREAT | O_EXCL | O_WRONLY | O_NOFOLLOW | O_CLOEXEC, 0644);
    if (fd >= 0) return ::close(fd), 0;
  }
  if (errno != EEXIST) return -errno;
  char link[PATH_MAX];
  const auto length = ::readlinkat(parent, name, link, sizeof link - 1);
  if (length < 0) return errno == EINVAL ? 0 : -errno;  // somebody else has made it
  link[length] = 0;
  if (depth >= most_link_depth) return -ELOOP;
  char joined[PATH_MAX];
  if (!join_link(joined, parent_path, link)) return -ENAMETOOLONG;
  return make_missing(root, joined, directory, depth + 1);
}

// Makes what is missing of `path`, from the front.
int make_missing(int root, const char* path, bool directory, int depth) {
  char prefix[PATH_MAX];
  const std::size_t length = std::strlen(path);
  if (length + 1 > sizeof prefix) return -ENAMETOOLONG;
  std::size_t done = 0;  // prefix[0, done) exists
  prefix[0] = 0;
  for (std::size_t at = 0; at < length;) {
    while (at < length && path[at] == '/') ++at;
    std::size_t end = at;
    while (end < length && path[end] != '/') ++end;
    if (end == at) break;
    const bool last = path[end + std::strspn(path + end, "/")] == 0;
    char name[NAME_MAX + 1];
    if (end - at > NAME_MAX) return -ENAMETOOLONG;
    std::memcpy(name, path + at, end - at);
    name[end - at] = 0;
    const ChildFd parent(open_below(root, done == 0 ? "/" : prefix, O_PATH | O_DIRECTORY));
    if (parent.get() < 0) return parent.get();
    char parent_path[PATH_MAX];
    std::memcpy(parent_path, prefix, done);
    parent_path[done] = 0;
    prefix[done] = '/';
    std::memcpy(prefix + done + 1, name, end - at + 1);
    done += 1 + end - at;
    const ChildFd here(open_below(root, prefix, O_PATH));
    if (here.get() == -ENOENT) {
      const int made = make_entry(root, parent.get(), parent_path, name, directory || !last, depth);
      if (made < 0) return made;
    } else if (here.get() < 0) {
      return here.get();
    }
    at = end;
  }
  return 0;
}

bool is_directory(int fd) {
  struct stat info;
  return ::fstat(fd, &info) == 0 && S_ISDIR(info.st_mode);
}

int mount_errno(int result) {
  return result < 0 ? -errno : 0;
}

}  // namespace

int open_below(int root, const char* path, std::uint64_t flags, std::uint64_t resolve) {
  const int fd = raw_openat2(root, path, flags, resolve);
  return fd == -ENOSYS ? walk_below(root, path, flags) : fd;
}

int open_target(int root, const char* path, bool directory) {
  const int fd = open_below(root, path, O_PATH);
  if (fd != -ENOENT) return fd;
  const int made = make_missing(root, path, directory, 0);
  return made < 0 ? made : open_below(root, path, O_PATH);
}

FdPath::FdPath(int fd) {
  std::memcpy(text_, "self/fd/", 8);
  char digits[12];
  int count = 0;
  do {
    digits[count++] = static_cast<char>('0' + fd % 10);
    fd /= 10;
  } while (fd > 0);
  char* at = text_ + 8;
  while (count > 0) *at++ = digits[--count];
  *at = 0;
}

int open_root(ChildRoot& root, const step::OpenRoot& step, const int* sources) {
  if (step.source_fd) {
    // On top of "/", which paths that begin there do not notice: root of the user namespace may not be able
    // to reach the directory.
    root.fd = sources[*step.source_fd];
    if (::syscall(SYS_move_mount, root.fd, "", AT_FDCWD, "/", MOVE_MOUNT_F_EMPTY_PATH) < 0) return -errno;
    return ::mount(nullptr, FdPath(root.fd).c_str(), nullptr, MS_PRIVATE, nullptr) < 0 ? -errno : 0;
  }
  const char* path = step.path.c_str();
  if (!step.parent_mount.empty() &&
      ::mount(nullptr, step.parent_mount.c_str(), nullptr, MS_PRIVATE, nullptr) < 0)
    return -errno;
  if (::mount(path, path, nullptr, MS_BIND | MS_REC, nullptr) < 0) return -errno;
  // What is shared with others would let pivot_root(2) fail, or spread what is mounted here.
  if (::mount(nullptr, path, nullptr, MS_PRIVATE, nullptr) < 0) return -errno;
  root.fd = ::open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
  return root.fd < 0 ? -errno : 0;
}

int make_readonly(const ChildRoot& root, const char* path) {
  const ChildFd target(open_below(root.fd, path, O_PATH));
  if (target.get() == -ENOENT || target.get() == -ENOTDIR) return 0;
  if (target.get() < 0) return target.get();
  if (root.has_mount_api) {
    const ChildFd tree(
        static_cast<int>(::syscall(SYS_open_tree, target.get(), "",
                                   OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH | AT_RECURSIVE)));
    if (tree.get() < 0) return -errno;
    mount_attr attributes{};
    attributes.attr_set = MOUNT_ATTR_RDONLY;
    if (::syscall(SYS_mount_setattr, tree.get(), "", AT_EMPTY_PATH | AT_RECURSIVE, &attributes,
                  sizeof attributes) < 0)
      return -errno;
    return mount_errno(static_cast<int>(::syscall(SYS_move_mount, tree.get(), "", target.get(), "",
                                                  MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH)));
  }
  const FdPath at(target.get());
  if (::mount(at.c_str(), at.c_str(), nullptr, MS_BIND | MS_REC, nullptr) < 0) return -errno;
  const ChildFd mounted(open_below(root.fd, path, O_PATH));
  if (mounted.get() < 0) return mounted.get();
  struct statfs info;
  if (::fstatfs(mounted.get(), &info) < 0) return -errno;
  constexpr unsigned long kept = MS_NOSUID | MS_NODEV | MS_NOEXEC;  // ST_* have the same values
  const unsigned long flags = static_cast<unsigned long>(info.f_flags) & kept;
  return mount_errno(::mount(nullptr, FdPath(mounted.get()).c_str(), nullptr,
                             MS_REMOUNT | MS_BIND | MS_RDONLY | flags, nullptr));
}

int bind_fd(const ChildRoot& root, int fd, int target) {
  if (root.has_mount_api) {
    const ChildFd tree(static_cast<int>(
        ::syscall(SYS_open_tree, fd, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH)));
    if (tree.get() >= 0)
      return mount_errno(static_cast<int>(::syscall(SYS_move_mount, tree.get(), "", target, "",
                                                    MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH)));
  }
  return mount_errno(::mount(FdPath(fd).c_str(), FdPath(target).c_str(), nullptr, MS_BIND, nullptr));
}

// The mask is the host's /dev/null, never that of the image, and it is looked at again afterwards.
int mask_path(const ChildRoot& root, const char* path) {
  const ChildFd target(open_below(root.fd, path, O_PATH));
  if (target.get() == -ENOENT || target.get() == -ENOTDIR) return 0;
  if (target.get() < 0) return target.get();
  const bool directory = is_directory(target.get());
  if (directory) {
    if (::mount("tmpfs", FdPath(target.get()).c_str(), "tmpfs", MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC,
                "size=4k,nr_inodes=1,mode=555") < 0)
      return -errno;
  } else {
    const ChildFd null(::open("/dev/null", O_PATH | O_CLOEXEC));
    struct stat info;
    if (null.get() < 0 || ::fstat(null.get(), &info) < 0) return -errno;
    if (!S_ISCHR(info.st_mode) || info.st_rdev != makedev(1, 3)) return -fault_device;
    const int bound = bind_fd(root, null.get(), target.get());
    if (bound < 0) return bound;
  }
  const ChildFd seen(open_below(root.fd, path, O_PATH));
  if (seen.get() < 0) return seen.get();
  struct stat info;
  struct statfs system;
  if (::fstat(seen.get(), &info) < 0 || ::fstatfs(seen.get(), &system) < 0) return -errno;
  const bool masked = directory ? S_ISDIR(info.st_mode) && system.f_type == TMPFS_MAGIC
                                : S_ISCHR(info.st_mode) && info.st_rdev == makedev(1, 3);
  return masked ? 0 : -fault_mask;
}

namespace {

// Splits off the last component; "" as name for the root.
void split_path(const char* path, char* parent, char* name, std::size_t name_size) {
  std::size_t length = std::strlen(path);
  while (length > 1 && path[length - 1] == '/') --length;
  std::size_t slash = length;
  while (slash > 0 && path[slash - 1] != '/') --slash;
  const std::size_t count = length - slash < name_size ? length - slash : name_size - 1;
  std::memcpy(name, path + slash, count);
  name[count] = 0;
  std::memcpy(parent, path, slash);
  parent[slash] = 0;
}

int open_parent(int root, const char* path, char* name, std::size_t name_size) {
  char parent[PATH_MAX];
  if (std::strlen(path) + 1 > sizeof parent) return -ENAMETOOLONG;
  split_path(path, parent, name, name_size);
  if (name[0] == 0) return -EINVAL;
  return open_target(root, parent, true);
}

bool is_device(const struct stat& info, const step::MakeDevice& step) {
  const bool same_type = (info.st_mode & S_IFMT) == (step.mode & S_IFMT);
  return same_type && (S_ISFIFO(info.st_mode) || info.st_rdev == makedev(step.major, step.minor));
}

int bind_device(const ChildRoot& root, const step::MakeDevice& step) {
  const ChildFd source(::open(step.path.c_str(), O_PATH | O_CLOEXEC));
  struct stat info;
  if (source.get() < 0 || ::fstat(source.get(), &info) < 0) return -errno;
  if (!is_device(info, step)) return -fault_device;
  const ChildFd target(open_target(root.fd, step.path.c_str(), false));
  if (target.get() < 0) return target.get();
  return bind_fd(root, source.get(), target.get());
}

}  // namespace

int make_device(const ChildRoot& root, const step::MakeDevice& step) {
  char name[NAME_MAX + 1];
  const ChildFd parent(open_parent(root.fd, step.path.c_str(), name, sizeof name));
  if (parent.get() < 0) return parent.get();
  struct stat info;
  if (::fstatat(parent.get(), name, &info, AT_SYMLINK_NOFOLLOW) == 0) {
    if (is_device(info, step)) return 0;
    // A file that a device was bound on when the root was used before.
    const bool placeholder = step.bind && S_ISREG(info.st_mode) && info.st_size == 0;
    if (!placeholder) return -fault_device;
  }
  if (step.bind) return bind_device(root, step);
  if (::mknodat(parent.get(), name, step.mode, makedev(step.major, step.minor)) < 0)
    return errno == EPERM ? bind_device(root, step) : -errno;
  if (::fchownat(parent.get(), name, step.uid.value_or(0), step.gid.value_or(0), AT_SYMLINK_NOFOLLOW) < 0)
    return -errno;
  return 0;
}

int make_link(const ChildRoot& root, const step::MakeLink& step) {
  char name[NAME_MAX + 1];
  const ChildFd parent(open_parent(root.fd, step.path.c_str(), name, sizeof name));
  if (parent.get() < 0) return parent.get();
  if (::symlinkat(step.target.c_str(), parent.get(), name) < 0 && errno != EEXIST) return -errno;
  return 0;
}

namespace {

int pivot_into(int root) {
  const ChildFd old(::open("/", O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (old.get() < 0 || ::fchdir(root) < 0) return -errno;
  // The old root is stacked on the new one and found through its descriptor: no directory is needed for it.
  if (::syscall(SYS_pivot_root, ".", ".") < 0 || ::fchdir(old.get()) < 0) return -errno;
  if (::mount(nullptr, ".", nullptr, MS_SLAVE | MS_REC, nullptr) < 0 || ::umount2(".", MNT_DETACH) < 0)
    return -errno;
  return ::chdir("/") < 0 ? -errno : 0;
}

}  // namespace

int enter_root(const ChildRoot& root, step::EnterRoot::How how) {
  if (how == step::EnterRoot::How::pivot) return pivot_into(root.fd);
  if (::fchdir(root.fd) < 0) return -errno;
  if (how == step::EnterRoot::How::move && ::mount(".", "/", nullptr, MS_MOVE, nullptr) < 0) return -errno;
  if (::chroot(".") < 0) return -errno;
  return ::chdir("/") < 0 ? -errno : 0;
}

}  // namespace lade::runtime

#include "runtime/child_terminal.hpp"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <cstring>

#include "runtime/child.hpp"

namespace lade::runtime {
namespace {

// The container's own devpts if it is one, else the host's.
int open_master(int root) {
  int fd = open_below(root, "/dev/pts/ptmx", O_RDWR | O_NOCTTY);
  if (fd >= 0) {
    struct statfs info;
    if (::fstatfs(fd, &info) == 0 && info.f_type == DEVPTS_SUPER_MAGIC) return fd;
    ::close(fd);
  }
  fd = ::open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC);
  if (fd < 0) return -errno;
  struct stat info;
  if (::fstat(fd, &info) < 0 || info.st_rdev != makedev(5, 2)) return ::close(fd), -fault_device;
  return fd;
}

int send_master(int socket, int master) {
  char name[] = "/dev/ptmx";
  iovec part{name, sizeof name - 1};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))]{};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  cmsghdr* rights = CMSG_FIRSTHDR(&message);
  rights->cmsg_level = SOL_SOCKET;
  rights->cmsg_type = SCM_RIGHTS;
  rights->cmsg_len = CMSG_LEN(sizeof(int));
  std::memcpy(CMSG_DATA(rights), &master, sizeof master);
  while (::sendmsg(socket, &message, MSG_NOSIGNAL) < 0) {
    if (errno != EINTR) return -errno;
  }
  return 0;
}

int bind_console(const ChildRoot& root, int slave) {
  const int target = open_target(root.fd, "/dev/console", false);
  if (target < 0) return target;
  const int result = bind_fd(root, slave, target);
  ::close(target);
  return result;
}

}  // namespace

int open_terminal(const ChildRoot& root, const step::OpenTerminal& step, int console_fd) {
  const int master = open_master(root.fd);
  if (master < 0) return master;
  int locked = 0;
  if (::ioctl(master, TIOCSPTLCK, &locked) < 0) return -errno;
  // By the master itself, not by a name that somebody could have replaced.
  const int slave = ::ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
  if (slave < 0) return -errno;
  if (step.rows != 0 || step.columns != 0) {
    const winsize size{step.rows, step.columns, 0, 0};
    if (::ioctl(slave, TIOCSWINSZ, &size) < 0) return -errno;
  }
  // Users that the namespace does not have keep the one who made it.
  if (::fchown(slave, step.uid, static_cast<gid_t>(-1)) < 0 && errno != EINVAL && errno != EPERM)
    return -errno;
  if (step.bind_console) {
    if (const int result = bind_console(root, slave); result < 0) return result;
  }
  if (const int result = send_master(console_fd, master); result < 0) return result;
  ::close(master);
  if (::ioctl(slave, TIOCSCTTY, 0) < 0) return -errno;
  for (int fd = 0; fd < 3; ++fd) {
    if (::dup2(slave, fd) < 0) return -errno;
  }
  ::close(slave);
  return 0;
}

}  // namespace lade::runtime

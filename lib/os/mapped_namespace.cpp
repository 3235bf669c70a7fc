#include "os/mapped_namespace.hpp"

#include <fcntl.h>
#include <linux/mount.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>

#include "base/error.hpp"
#include "io/stream.hpp"
#include "os/file.hpp"

namespace lade::os {

namespace {

// One step after the other, each told to the parent as an errno, begun when it says so.
[[noreturn]] void keep_namespaces(int channel, bool with_network) noexcept {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  char go = 0;
  int code = ::unshare(CLONE_NEWUSER) == 0 ? 0 : errno;
  if (::write(channel, &code, sizeof code) != sizeof code || ::read(channel, &go, 1) != 1) ::_exit(0);
  if (with_network) code = ::unshare(CLONE_NEWNET) == 0 ? 0 : errno;
  if (::write(channel, &code, sizeof code) != sizeof code) ::_exit(0);
  while (::read(channel, &go, 1) < 0 && errno == EINTR) continue;
  ::_exit(0);
}

int answer_of(const UniqueFd& channel) {
  int code = EPIPE;  // what it stays should the child be killed
  while (::read(channel.get(), &code, sizeof code) < 0 && errno == EINTR) continue;
  return code;
}

// A map is written by one write(2), or not at all.
void write_id_map(const std::string& path, const std::vector<IdMapping>& map) {
  std::string text;
  for (const auto& line : map)
    text.append(std::to_string(line.inside)).append(" ").append(std::to_string(line.outside)).append(" ")
        .append(std::to_string(line.count)).append("\n");
  const UniqueFd file = open_file(path, O_WRONLY);
  if (::write(file.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size()))
    throw Error::from_errno(errno, "write " + path);
}

}  // namespace

MappedNamespace::MappedNamespace(const std::vector<IdMapping>& uids, const std::vector<IdMapping>& gids,
                                 bool with_network) {
  int ends[2] = {};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
    throw Error::from_errno(errno, "socketpair");
  channel_.reset(ends[0]);
  UniqueFd other(ends[1]);
  pid_ = ::fork();
  if (pid_ < 0) throw Error::from_errno(errno, "fork");
  if (pid_ == 0) {
    ::close(ends[0]);
    keep_namespaces(ends[1], with_network);
  }
  other.reset();
  try {
    if (const int code = answer_of(channel_); code != 0) throw Error::from_errno(code, "make a user namespace");
    const std::string process = "/proc/" + std::to_string(pid_);
    in_context("setting up the ID maps of a user namespace", [&] {
      write_id_map(process + "/uid_map", uids);
      write_id_map(process + "/gid_map", gids);
    });
    if (::write(channel_.get(), "g", 1) != 1) throw Error::from_errno(errno, "make a user namespace");
    if (const int code = answer_of(channel_); code != 0)
      throw Error::from_errno(code, "make a network namespace");
  } catch (...) {
    end();
    throw;
  }
}

MappedNamespace::~MappedNamespace() {
  end();
}

void MappedNamespace::end() noexcept {
  channel_.reset();
  while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) continue;
}

std::string MappedNamespace::path(const char* name) const {
  return "/proc/" + std::to_string(pid_) + "/ns/" + name;
}

void bind_mapped(const std::filesystem::path& source, const std::filesystem::path& target,
                 const MappedNamespace& ids) {
  in_context([&] { return "mapping the owners of " + source.string(); },
             [&] {
               const UniqueFd tree(static_cast<int>(::syscall(SYS_open_tree, AT_FDCWD, source.c_str(),
                                                              OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC)));
               if (!tree.is_open()) throw Error::from_errno(errno, "open_tree");
               const UniqueFd user = open_file(ids.path("user"), O_RDONLY);
               mount_attr attributes{};
               attributes.attr_set = MOUNT_ATTR_IDMAP;
               attributes.userns_fd = static_cast<std::uint64_t>(user.get());
               if (::syscall(SYS_mount_setattr, tree.get(), "", AT_EMPTY_PATH, &attributes,
                             sizeof attributes) < 0) {
                 if (errno == EINVAL || errno == ENOSYS || errno == EPERM)
                   throw Error(Kind::unsupported, "this kernel or file system has no ID-mapped mounts");
                 throw Error::from_errno(errno, "mount_setattr");
               }
               if (::syscall(SYS_move_mount, tree.get(), "", AT_FDCWD, target.c_str(),
                             MOVE_MOUNT_F_EMPTY_PATH) < 0)
                 throw Error::from_errno(errno, "move_mount to " + target.string());
             });
}

}  // namespace lade::os

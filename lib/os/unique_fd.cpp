#include "os/unique_fd.hpp"

#include <unistd.h>

#include <cerrno>

#include "base/error.hpp"

namespace lade::os {

void UniqueFd::reset(int fd) noexcept {
  if (fd_ >= 0) ::close(fd_);
  fd_ = fd;
}

UniqueFd open_file(const std::filesystem::path& path, int flags, mode_t mode) {
  UniqueFd fd(::open(path.c_str(), flags | O_CLOEXEC, mode));
  if (!fd.is_open()) throw Error::from_errno(errno, "open " + path.string());
  return fd;
}

std::optional<UniqueFd> try_open_file(const std::filesystem::path& path, int flags, mode_t mode) {
  UniqueFd fd(::open(path.c_str(), flags | O_CLOEXEC, mode));
  if (fd.is_open()) return fd;
  if (errno == ENOENT || errno == ENOTDIR) return std::nullopt;
  throw Error::from_errno(errno, "open " + path.string());
}

UniqueFd open_at(const UniqueFd& directory, const std::string& name, int flags, mode_t mode) {
  UniqueFd fd(::openat(directory.get(), name.c_str(), flags | O_CLOEXEC, mode));
  if (!fd.is_open()) throw Error::from_errno(errno, "open " + name);
  return fd;
}

UniqueFd duplicate(int fd) {
  UniqueFd copy(::fcntl(fd, F_DUPFD_CLOEXEC, 0));
  if (!copy.is_open()) throw Error::from_errno(errno, "duplicate a file descriptor");
  return copy;
}

}  // namespace lade::os

// Ownership of a file descriptor. Everything that is opened here is O_CLOEXEC.
#pragma once

#include <fcntl.h>
#include <sys/types.h>

#include <filesystem>
#include <optional>
#include <utility>

namespace lade::os {

class [[nodiscard]] UniqueFd {
 public:
  UniqueFd() = default;
  explicit UniqueFd(int fd) : fd_(fd) {}
  UniqueFd(UniqueFd&& other) noexcept : fd_(other.release()) {}
  UniqueFd& operator=(UniqueFd&& other) noexcept {
    if (this != &other) reset(other.release());
    return *this;
  }
  ~UniqueFd() { reset(); }

  // Descriptor 0 is a valid one: `if (fd)` would be a trap.
  explicit operator bool() const = delete;
  bool is_open() const { return fd_ >= 0; }
  int get() const { return fd_; }
  int release() noexcept { return std::exchange(fd_, -1); }
  void reset(int fd = -1) noexcept;

 private:
  int fd_ = -1;
};

// open(2) with O_CLOEXEC added; throws Error::from_errno "open <path>".
UniqueFd open_file(const std::filesystem::path& path, int flags, mode_t mode = 0);

// nullopt if there is no such file (ENOENT, ENOTDIR).
std::optional<UniqueFd> try_open_file(const std::filesystem::path& path, int flags, mode_t mode = 0);

// openat(2) with O_CLOEXEC added; `name` as it stands in errors.
UniqueFd open_at(const UniqueFd& directory, const std::string& name, int flags, mode_t mode = 0);

// A second descriptor of the same open file.
UniqueFd duplicate(int fd);

}  // namespace lade::os

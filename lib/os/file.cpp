#include "os/file.hpp"

#include <stdlib.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>

#include "base/error.hpp"

namespace lade::os {

namespace {

// Linux moves at most 2 GiB - 4 KiB a call.
constexpr std::size_t max_transfer = 1u << 30;

}  // namespace

std::size_t FileReader::read(io::Buffer buffer) {
  for (;;) {
    const auto n = ::read(fd_.get(), buffer.data(), std::min(buffer.size(), max_transfer));
    if (n >= 0) return static_cast<std::size_t>(n);
    if (errno != EINTR) throw Error::from_errno(errno, "read");
  }
}

std::size_t RangeReader::read(io::Buffer buffer) {
  const auto want = std::min<std::uint64_t>({buffer.size(), left_, max_transfer});
  if (want == 0) return 0;
  for (;;) {
    const auto n = ::pread(fd_->get(), buffer.data(), want, static_cast<off_t>(offset_));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) throw Error::from_errno(errno, "read");
    if (n == 0) throw Error(Kind::integrity, "unexpected end of file");
    offset_ += static_cast<std::uint64_t>(n);
    left_ -= static_cast<std::uint64_t>(n);
    return static_cast<std::size_t>(n);
  }
}

void write_all(const UniqueFd& fd, io::Bytes data) {
  while (!data.empty()) {
    const auto n = ::write(fd.get(), data.data(), std::min(data.size(), max_transfer));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) throw Error::from_errno(errno, "write");
    data = data.subspan(static_cast<std::size_t>(n));
  }
}

void FileWriter::write(io::Bytes data) {
  write_all(fd_, data);
}

struct ::stat stat_of(const UniqueFd& fd) {
  struct ::stat result {};
  if (::fstat(fd.get(), &result) != 0) throw Error::from_errno(errno, "stat");
  return result;
}

std::optional<std::string> find_file(const std::filesystem::path& path, std::uint64_t limit) {
  auto fd = try_open_file(path, O_RDONLY);
  if (!fd) return std::nullopt;
  FileReader reader(std::move(*fd));
  return in_context([&] { return "read " + path.string(); },
                    [&] { return io::read_all(reader, limit, path.filename().string()); });
}

std::string read_file(const std::filesystem::path& path, std::uint64_t limit) {
  FileReader reader(path);
  return in_context([&] { return "read " + path.string(); },
                    [&] { return io::read_all(reader, limit, path.filename().string()); });
}

void mkdir_all(const std::filesystem::path& path, mode_t mode) {
  if (path.empty() || ::mkdir(path.c_str(), mode) == 0) return;
  int code = errno;
  if (code == ENOENT && path.has_parent_path() && path.parent_path() != path) {
    mkdir_all(path.parent_path(), mode);
    if (::mkdir(path.c_str(), mode) == 0) return;
    code = errno;
  }
  std::error_code ignored;
  if (code == EEXIST && std::filesystem::is_directory(path, ignored)) return;
  throw Error::from_errno(code == EEXIST ? ENOTDIR : code, "mkdir " + path.string());
}

void rename_file(const std::filesystem::path& from, const std::filesystem::path& to) {
  if (::rename(from.c_str(), to.c_str()) != 0) {
    throw Error::from_errno(errno, "rename " + from.string() + " to " + to.string());
  }
}

bool remove_file(const std::filesystem::path& path) {
  if (::unlink(path.c_str()) == 0) return true;
  if (errno == ENOENT) return false;
  throw Error::from_errno(errno, "remove " + path.string());
}

UniqueFd open_unnamed(const std::filesystem::path& directory) {
  UniqueFd fd(::open(directory.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC | O_EXCL, 0600));
  if (fd.is_open()) return fd;
  // File systems without O_TMPFILE (NFS, overlay on old kernels).
  std::string name = (directory / "lade-XXXXXX").string();
  fd.reset(::mkostemp(name.data(), O_CLOEXEC));
  if (!fd.is_open()) throw Error::from_errno(errno, "create a temporary file in " + directory.string());
  ::unlink(name.c_str());
  return fd;
}

UniqueFd open_unnamed(const UniqueFd& directory) {
  return open_unnamed("/proc/self/fd/" + std::to_string(directory.get()));
}

}  // namespace lade::os

// Files as streams, and small files as text.
#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "io/stream.hpp"
#include "os/unique_fd.hpp"

namespace lade::os {

// Reads from the descriptor's own position to the end: files, pipes, devices.
class FileReader final : public io::Reader {
 public:
  explicit FileReader(UniqueFd fd) : fd_(std::move(fd)) {}
  explicit FileReader(const std::filesystem::path& path) : fd_(open_file(path, O_RDONLY)) {}
  std::size_t read(io::Buffer buffer) override;
  const UniqueFd& fd() const { return fd_; }

 private:
  UniqueFd fd_;
};

// Reads [offset, offset + size) with pread(2): many may read one descriptor at once. Shares the descriptor.
// Kind::integrity if the file is shorter.
class RangeReader final : public io::Reader {
 public:
  RangeReader(std::shared_ptr<const UniqueFd> fd, std::uint64_t offset, std::uint64_t size)
      : fd_(std::move(fd)), offset_(offset), left_(size) {}
  std::size_t read(io::Buffer buffer) override;

 private:
  std::shared_ptr<const UniqueFd> fd_;
  std::uint64_t offset_;
  std::uint64_t left_;
};

// Writes at the descriptor's own position. Closing is not checked: whoever needs the bytes on disk syncs.
class FileWriter final : public io::Writer {
 public:
  explicit FileWriter(UniqueFd fd) : fd_(std::move(fd)) {}
  void write(io::Bytes data) override;
  const UniqueFd& fd() const { return fd_; }

 private:
  UniqueFd fd_;
};

void write_all(const UniqueFd& fd, io::Bytes data);
// The size of a regular file; Error "stat <what>" otherwise.
struct ::stat stat_of(const UniqueFd& fd);

// Whole files as text. Kind::invalid_input if longer than limit.
std::string read_file(const std::filesystem::path& path, std::uint64_t limit);
// nullopt if there is no such file.
std::optional<std::string> find_file(const std::filesystem::path& path, std::uint64_t limit);

// Creates the directory and its parents; no error if it is there. Kind::system/already_exists if a file is in
// the way.
void mkdir_all(const std::filesystem::path& path, mode_t mode = 0755);
void rename_file(const std::filesystem::path& from, const std::filesystem::path& to);
// Removes a file; false if it was not there.
bool remove_file(const std::filesystem::path& path);

// An open file without a name in `directory`; gone when closed.
UniqueFd open_unnamed(const std::filesystem::path& directory);
UniqueFd open_unnamed(const UniqueFd& directory);

}  // namespace lade::os

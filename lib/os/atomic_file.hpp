// A file that appears complete under its name, or not at all.
#pragma once

#include <filesystem>
#include <string_view>

#include "io/stream.hpp"
#include "os/unique_fd.hpp"

namespace lade::os {

// A temporary file beside its target. Without commit it vanishes.
class AtomicFile final : public io::Writer {
 public:
  struct CommitOptions {
    mode_t mode = 0644;  // exactly; the umask is not applied
    bool sync = false;   // fsync(2) of the file before the rename
  };

  // The temporary file is "<directory>/<prefix>XXXXXX", mode 0600.
  AtomicFile(const std::filesystem::path& directory, std::string_view prefix);
  AtomicFile(AtomicFile&& other) noexcept;
  AtomicFile& operator=(AtomicFile&&) = delete;
  ~AtomicFile() override;

  void write(io::Bytes data) override;
  const UniqueFd& fd() const { return fd_; }

  // Renames to target, replacing what is there. MUST be on the same file system. Call once.
  void commit(const std::filesystem::path& target, CommitOptions options);
  void commit(const std::filesystem::path& target) { commit(target, CommitOptions{}); }

 private:
  std::filesystem::path path_;  // empty once committed or moved from
  UniqueFd fd_;
  std::uint64_t written_ = 0;  // by write()
  std::uint64_t flushed_ = 0;  // handed to the disk early
};

// Replaces a whole file with text.
void write_file(const std::filesystem::path& target, std::string_view text,
                AtomicFile::CommitOptions options);
inline void write_file(const std::filesystem::path& target, std::string_view text) {
  write_file(target, text, AtomicFile::CommitOptions{});
}

}  // namespace lade::os

#include "os/atomic_file.hpp"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "base/error.hpp"
#include "os/file.hpp"

namespace lade::os {

namespace {

constexpr std::uint64_t flush_size = 8 * 1024 * 1024;

}  // namespace

AtomicFile::AtomicFile(const std::filesystem::path& directory, std::string_view prefix) {
  // A target's name may be as long as names can be.
  constexpr std::size_t longest_prefix = 200;
  std::string name = (directory / (std::string(prefix.substr(0, longest_prefix)) + "XXXXXX")).string();
  fd_.reset(::mkostemp(name.data(), O_CLOEXEC));
  if (!fd_.is_open()) throw Error::from_errno(errno, "create a temporary file in " + directory.string());
  path_ = std::move(name);
}

AtomicFile::AtomicFile(AtomicFile&& other) noexcept
    : path_(std::exchange(other.path_, {})),
      fd_(std::move(other.fd_)),
      written_(other.written_),
      flushed_(other.flushed_) {}

AtomicFile::~AtomicFile() {
  if (!path_.empty()) ::unlink(path_.c_str());
}

void AtomicFile::write(io::Bytes data) {
  in_context([&] { return "write " + path_.string(); }, [&] { write_all(fd_, data); });
  written_ += data.size();
  if (written_ - flushed_ < flush_size) return;
  // Only a hint: the disk writes while the rest arrives, and a commit with `sync` finds little left to do.
  ::sync_file_range(fd_.get(), static_cast<off64_t>(flushed_), static_cast<off64_t>(written_ - flushed_),
                    SYNC_FILE_RANGE_WRITE);
  flushed_ = written_;
}

void AtomicFile::commit(const std::filesystem::path& target, CommitOptions options) {
  if (::fchmod(fd_.get(), options.mode) != 0) throw Error::from_errno(errno, "chmod " + path_.string());
  if (options.sync && ::fsync(fd_.get()) != 0) throw Error::from_errno(errno, "sync " + path_.string());
  rename_file(path_, target);
  path_.clear();
  fd_.reset();
}

void write_file(const std::filesystem::path& target, std::string_view text,
                AtomicFile::CommitOptions options) {
  const auto directory = target.has_parent_path() ? target.parent_path() : std::filesystem::path(".");
  AtomicFile file(directory, "." + target.filename().string() + ".");
  file.write(io::as_bytes(text));
  file.commit(target, options);
}

}  // namespace lade::os

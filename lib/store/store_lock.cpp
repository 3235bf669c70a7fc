#include "store/store_lock.hpp"

#include <unistd.h>

#include <cerrno>

#include "store/ids.hpp"

namespace lade::store {

namespace {

constexpr std::size_t last_writer_size = 64;

}  // namespace

std::string StoreLock::last_writer() const {
  if (!lock_) return "";
  std::string text(last_writer_size, '\0');
  const auto count = ::pread(lock_->fd().get(), text.data(), text.size(), 0);
  if (count < 0) throw Error::from_errno(errno, "read a lock file");
  text.resize(static_cast<std::size_t>(count));
  return text;
}

void StoreLock::mark_written() {
  const std::string text = random_bytes(last_writer_size);
  if (!lock_) throw Error(Kind::unsupported, "this store is read-only");
  if (::pwrite(lock_->fd().get(), text.data(), text.size(), 0) != static_cast<ssize_t>(text.size()))
    throw Error::from_errno(errno, "write a lock file");
}

}  // namespace lade::store

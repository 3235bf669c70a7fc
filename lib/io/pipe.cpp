#include "io/pipe.hpp"

#include <algorithm>

#include "base/error.hpp"

namespace lade::io {

Pipe::Pipe(std::size_t capacity) : ring_(capacity) {}

void Pipe::write(Bytes data) {
  while (!data.empty()) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return hung_up_ || count_ < ring_.size(); });
    if (hung_up_) throw Error(Kind::system, "the reading side of the pipe was closed");
    const std::size_t free_begin = (first_ + count_) % ring_.size();
    const std::size_t room = std::min(ring_.size() - count_, ring_.size() - free_begin);
    const std::size_t size = std::min(room, data.size());
    std::copy_n(data.begin(), size, ring_.begin() + static_cast<std::ptrdiff_t>(free_begin));
    count_ += size;
    data = data.subspan(size);
    changed_.notify_all();
  }
}

void Pipe::finish() {
  const std::lock_guard lock(mutex_);
  finished_ = true;
  changed_.notify_all();
}

std::size_t Pipe::read(Buffer buffer) {
  std::unique_lock lock(mutex_);
  if (!changed_.wait(lock, stop_, [&] { return finished_ || count_ > 0; })) throw Cancelled();
  const std::size_t size = std::min({count_, buffer.size(), ring_.size() - first_});
  std::copy_n(ring_.begin() + static_cast<std::ptrdiff_t>(first_), size, buffer.begin());
  first_ = (first_ + size) % ring_.size();
  count_ -= size;
  changed_.notify_all();
  return size;
}

void Pipe::hang_up() {
  const std::lock_guard lock(mutex_);
  hung_up_ = true;
  changed_.notify_all();
}

bool Pipe::hung_up() {
  const std::lock_guard lock(mutex_);
  return hung_up_;
}

}  // namespace lade::io

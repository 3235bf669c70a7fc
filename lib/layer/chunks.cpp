#include "layer/chunks.hpp"

#include <algorithm>

#include "base/error.hpp"

namespace lade::layer {

void ChunkQueue::push(ChunkPtr chunk) {
  {
    const std::lock_guard lock(mutex_);
    if (abandoned_) throw Abandoned();
    chunks_.push_back(std::move(chunk));
  }
  changed_.notify_one();
}

ChunkPtr ChunkQueue::pop() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return !chunks_.empty() || closed_ || abandoned_; });
  if (abandoned_) throw Abandoned();
  if (chunks_.empty()) return nullptr;
  ChunkPtr chunk = std::move(chunks_.front());
  chunks_.pop_front();
  return chunk;
}

ChunkPtr ChunkQueue::try_pop() {
  const std::lock_guard lock(mutex_);
  if (abandoned_) throw Abandoned();
  if (chunks_.empty()) return nullptr;
  ChunkPtr chunk = std::move(chunks_.front());
  chunks_.pop_front();
  return chunk;
}

void ChunkQueue::close() {
  {
    const std::lock_guard lock(mutex_);
    closed_ = true;
  }
  changed_.notify_one();
}

void ChunkQueue::abandon() {
  {
    const std::lock_guard lock(mutex_);
    abandoned_ = true;
  }
  changed_.notify_all();
}

io::Bytes ChunkReader::peek() {
  while (current_ == nullptr || position_ == current_->size) {
    if (current_ != nullptr) to_.push(std::move(current_));
    position_ = 0;
    current_ = from_.pop();
    if (current_ == nullptr) return {};
  }
  return current_->data().subspan(position_);
}

void ChunkReader::take(std::size_t count) {
  position_ += count;
  taken_ += count;
}

std::size_t ChunkReader::read(io::Buffer buffer) {
  const auto bytes = peek();
  const auto part = bytes.first(std::min(bytes.size(), buffer.size()));
  std::copy(part.begin(), part.end(), buffer.begin());
  position_ += part.size();
  return part.size();
}

void ChunkReader::skip(std::uint64_t size) {
  size -= std::exchange(taken_, 0);
  while (size > 0) {
    const auto bytes = peek();
    if (bytes.empty()) throw Error(Kind::integrity, "unexpected end of tar archive");
    const auto count = static_cast<std::size_t>(std::min<std::uint64_t>(size, bytes.size()));
    position_ += count;
    size -= count;
  }
}

void ChunkReader::finish() {
  while (!peek().empty()) position_ = current_->size;
  to_.close();
}

}  // namespace lade::layer

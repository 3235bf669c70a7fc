// The compressed side of a decoder: a buffer over a Reader.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "io/stream.hpp"

namespace lade::io {

class BufferedInput {
 public:
  explicit BufferedInput(std::unique_ptr<Reader> inner) : inner_(std::move(inner)), buffer_(chunk_size) {}

  Bytes available() const { return Bytes(buffer_).subspan(begin_, end_ - begin_); }
  void consume(std::size_t count) { begin_ += count; }

  // Makes available() non-empty; false at the end of the stream.
  bool fill() {
    if (begin_ == end_ && !ended_) {
      begin_ = 0;
      end_ = inner_->read(buffer_);
      ended_ = end_ == 0;
    }
    return begin_ != end_;
  }

  std::optional<std::byte> next() {
    if (!fill()) return std::nullopt;
    return buffer_[begin_++];
  }

 private:
  std::unique_ptr<Reader> inner_;
  std::vector<std::byte> buffer_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  bool ended_ = false;
};

}  // namespace lade::io

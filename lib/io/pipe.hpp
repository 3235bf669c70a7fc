// From a writer in one thread to a reader in another, through a buffer of bounded size.
#pragma once

#include <condition_variable>
#include <mutex>
#include <stop_token>
#include <vector>

#include "io/stream.hpp"

namespace lade::io {

// One thread writes and another one reads; the rest may be called by either.
class Pipe final : public Reader, public Writer {
 public:
  explicit Pipe(std::size_t capacity = 4 * chunk_size);

  // Waits for room. Kind::system "the reading side of the pipe was closed" after hang_up().
  void write(Bytes data) override;
  // The end, in order.
  void finish();

  // Waits for bytes; Cancelled when `stop` was requested.
  void stop_reading_with(std::stop_token stop) { stop_ = std::move(stop); }
  std::size_t read(Buffer buffer) override;
  // Nothing is read any more: a writer that waits is woken.
  void hang_up();
  bool hung_up();

 private:
  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::vector<std::byte> ring_;
  std::size_t first_ = 0;  // of the bytes that wait
  std::size_t count_ = 0;
  bool finished_ = false;
  bool hung_up_ = false;
  std::stop_token stop_;
};

}  // namespace lade::io

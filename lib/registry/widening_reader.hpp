// A large stream that is read over one connection while that is fast, and over several when it is not.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>

#include "base/context.hpp"
#include "io/stream.hpp"

namespace lade::registry {

class WideningReader final : public io::Reader {
 public:
  // What remains from `offset` on, over several connections; nullptr where that cannot be had.
  using Widen = std::function<std::unique_ptr<io::Reader>(std::uint64_t offset)>;

  // `narrow` gives `size` bytes. Only the time spent waiting for it counts: a slow consumer is no reason for
  // more connections. Widens at most once, when what is left would take another two seconds or more.
  WideningReader(const Context& context, std::unique_ptr<io::Reader> narrow, std::uint64_t size, Widen widen);
  std::size_t read(io::Buffer buffer) override;

 private:
  void measure(std::chrono::steady_clock::duration waited, std::size_t received);

  Context context_;
  std::unique_ptr<io::Reader> current_;
  std::uint64_t size_;
  Widen widen_;  // empty once it was tried
  std::uint64_t offset_ = 0;
  // Since the last look at the speed.
  std::chrono::steady_clock::duration waited_{};
  std::uint64_t received_ = 0;
};

}  // namespace lade::registry

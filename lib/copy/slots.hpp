// How many transfers may run at once, over all layers and instances of one copy.
#pragma once

#include <condition_variable>
#include <mutex>

#include "base/context.hpp"

namespace lade::copy {

class Slots {
 public:
  explicit Slots(std::size_t count) : free_(count) {}

  // Held while it lives.
  class Slot {
   public:
    explicit Slot(Slots& slots) : slots_(slots) {}
    Slot(const Slot&) = delete;
    Slot& operator=(const Slot&) = delete;
    ~Slot() { slots_.give_back(); }

   private:
    Slots& slots_;
  };

  // Waits for a free one; throws Cancelled when the context is stopped first.
  Slot acquire(const Context& context) {
    std::unique_lock lock(mutex_);
    if (!changed_.wait(lock, context.stop, [this] { return free_ > 0; })) throw Cancelled();
    --free_;
    return Slot(*this);
  }

 private:
  void give_back() {
    {
      std::lock_guard lock(mutex_);
      ++free_;
    }
    changed_.notify_one();
  }

  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::size_t free_;
};

}  // namespace lade::copy

// A value that can only be reached while its mutex is held.
#pragma once

#include <mutex>
#include <utility>

namespace lade {

template <class T>
class Sync {
 public:
  Sync() = default;
  explicit Sync(T value) : value_(std::move(value)) {}

  class Locked {
   public:
    T& operator*() { return value_; }
    T* operator->() { return &value_; }

   private:
    friend class Sync;
    Locked(std::mutex& mutex, T& value) : lock_(mutex), value_(value) {}
    std::unique_lock<std::mutex> lock_;
    T& value_;
  };

  Locked lock() { return Locked(mutex_, value_); }

 private:
  std::mutex mutex_;
  T value_{};
};

}  // namespace lade

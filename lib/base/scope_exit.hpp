#pragma once

#include <utility>

namespace lade {

// Runs fn when the scope ends, unless released. fn must not throw.
template <class Fn>
class [[nodiscard]] ScopeExit {
 public:
  explicit ScopeExit(Fn fn) : fn_(std::move(fn)) {}
  ScopeExit(const ScopeExit&) = delete;
  ScopeExit& operator=(const ScopeExit&) = delete;
  ~ScopeExit() {
    if (armed_) fn_();
  }
  void release() noexcept { armed_ = false; }

 private:
  Fn fn_;
  bool armed_ = true;
};

}  // namespace lade

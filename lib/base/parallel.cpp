#include "base/parallel.hpp"

#include <algorithm>
#include <atomic>
#include <exception>
#include <thread>
#include <vector>

#include "base/sync.hpp"

namespace lade {

namespace {

class Run {
 public:
  Run(const Context& context, std::size_t count, const std::function<void(const Context&, std::size_t)>& fn)
      : context_(context.with_stop(stop_.get_token())), count_(count), fn_(fn) {}

  void request_stop() { stop_.request_stop(); }

  void work() noexcept {
    try {
      for (std::size_t i = next_++; i < count_; i = next_++) {
        context_.throw_if_stopped();
        fn_(context_, i);
      }
    } catch (...) {
      record(std::current_exception());
      stop_.request_stop();
    }
  }

  void rethrow() {
    if (auto failure = *failure_.lock()) std::rethrow_exception(failure);
  }

 private:
  void record(std::exception_ptr failure) {
    const bool cancelled = is_cancelled(failure);
    auto first = failure_.lock();
    if (!*first || (first_was_cancelled_ && !cancelled)) {
      *first = std::move(failure);
      first_was_cancelled_ = cancelled;
    }
  }

  static bool is_cancelled(const std::exception_ptr& failure) {
    try {
      std::rethrow_exception(failure);
    } catch (const Cancelled&) {
      return true;
    } catch (...) {
      return false;
    }
  }

  std::stop_source stop_;
  Context context_;
  std::size_t count_;
  const std::function<void(const Context&, std::size_t)>& fn_;
  std::atomic<std::size_t> next_{0};
  Sync<std::exception_ptr> failure_;
  bool first_was_cancelled_ = false;
};

}  // namespace

void parallel_for(const Context& context, std::size_t count, std::size_t limit,
                  const std::function<void(const Context&, std::size_t)>& fn) {
  Run run(context, count, fn);
  std::stop_callback forward(context.stop, [&run] { run.request_stop(); });
  {
    const std::size_t helpers =
        std::min(std::max<std::size_t>(limit, 1), std::max<std::size_t>(count, 1)) - 1;
    std::vector<std::jthread> threads;
    threads.reserve(helpers);
    for (std::size_t i = 0; i < helpers; ++i) threads.emplace_back([&run] { run.work(); });
    run.work();
  }
  run.rethrow();
}

}  // namespace lade

// --retry-times: repeats a whole operation that failed for a reason that may pass.
#pragma once

#include <chrono>
#include <functional>

#include "base/context.hpp"
#include "common/arguments.hpp"

namespace lade::common {

struct RetryOptions {
  std::int64_t times = 0;
  std::chrono::milliseconds delay{0};  // 0: 1 s, 2 s, 4 s, ... and up to a tenth more
};

// From --retry-times and --retry-delay.
RetryOptions retry_options(const Flags& flags);

// Calls `operation` until it returns, throws something other than Error(Kind::unavailable), or has been
// repeated `times` times. Each repetition is logged as a warning before the wait.
void retry(const Context& context, const RetryOptions& options, const std::function<void()>& operation);

}  // namespace lade::common

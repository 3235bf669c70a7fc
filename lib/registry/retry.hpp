// When a request is worth another try, and how long to wait before it.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>

#include "base/context.hpp"
#include "registry/http.hpp"

namespace lade::registry {

struct RetryPolicy {
  unsigned tries = 5;  // the first one counts
  std::chrono::milliseconds first_pause{500};
  std::chrono::milliseconds longest_pause{60'000};
  std::chrono::milliseconds total{180'000};  // of all pauses
};

// Doubling pauses, each varied by up to a quarter so that clients do not return in step.
class Retry {
 public:
  explicit Retry(const Context& context, RetryPolicy policy = {});

  // Sleeps on the context's clock and returns true; false when there is to be no further try.
  bool wait();
  // What the server wishes for: the next wait() takes at least as long, but no longer than the longest pause.
  void ask_for(std::optional<std::chrono::milliseconds> pause) { asked_ = pause; }
  // The pauses start from the beginning: something was achieved.
  void reset();

 private:
  std::chrono::milliseconds varied(std::chrono::milliseconds pause);

  const Context& context_;
  RetryPolicy policy_;
  unsigned tries_ = 1;
  std::chrono::milliseconds slept_{0};
  std::optional<std::chrono::milliseconds> asked_;
  std::uint64_t random_;
};

// 408, 429, 500, 502, 503, 504.
bool is_temporary(int status);

// send() again and again while its response is temporary or it throws Kind::unavailable, as long as the
// policy allows and repeatable() is true (asked after each failure). The last response or error is the
// caller's.
std::unique_ptr<HttpResponse> send_with_retries(const Context& context,
                                                const std::function<bool()>& repeatable,
                                                const std::function<std::unique_ptr<HttpResponse>()>& send);

// How long the response asks to wait: Retry-After in seconds or as a date; 2 s for a 429 without one.
std::optional<std::chrono::milliseconds> requested_pause(const HttpResponse& response, const Clock& clock);

}  // namespace lade::registry

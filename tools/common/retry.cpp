#include "common/retry.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <random>
#include <string>

#include "common/go_text.hpp"

namespace lade::common {
namespace {

constexpr std::int64_t longest_exponent = 20;

std::chrono::milliseconds delay_before(const RetryOptions& options, std::int64_t attempt) {
  if (options.delay.count() > 0) return options.delay;
  return std::chrono::seconds(std::int64_t{1} << std::min(attempt, longest_exponent));
}

std::chrono::milliseconds jitter(std::chrono::milliseconds delay) {
  std::random_device random;
  std::uniform_int_distribution<std::int64_t> up_to_a_tenth(0, delay.count() / 10);
  return std::chrono::milliseconds(up_to_a_tenth(random));
}

// The reason for trying again; nullopt: it worked.
std::optional<std::string> attempt_once(const std::function<void()>& operation, bool last) {
  try {
    operation();
    return std::nullopt;
  } catch (const Error& error) {
    if (last || error.kind() != Kind::unavailable) throw;
    return error.what();
  }
}

}  // namespace

RetryOptions retry_options(const Flags& flags) {
  RetryOptions options;
  options.times = std::max<std::int64_t>(0, flags.find_integer("retry-times").value_or(0));
  if (const auto delay = flags.find_duration("retry-delay")) {
    options.delay =
        std::max(std::chrono::ceil<std::chrono::milliseconds>(*delay), std::chrono::milliseconds(0));
  }
  return options;
}

void retry(const Context& context, const RetryOptions& options, const std::function<void()>& operation) {
  for (std::int64_t attempt = 0;; ++attempt) {
    const auto reason = attempt_once(operation, attempt >= options.times);
    if (!reason) return;
    const auto delay = delay_before(options, attempt);
    context.log.warning(fmt::format("Failed, retrying in {} ... ({}/{}). Error: {}", format_duration(delay),
                                    attempt + 1, options.times, *reason));
    context.clock.sleep(delay + jitter(delay), context.stop);
  }
}

}  // namespace lade::common

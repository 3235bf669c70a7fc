#include "registry/retry.hpp"

#include <algorithm>
#include <utility>

#include "registry/errors.hpp"
#include "registry/text.hpp"

namespace lade::registry {

using std::chrono::milliseconds;

Retry::Retry(const Context& context, RetryPolicy policy)
    : context_(context),
      policy_(policy),
      random_(static_cast<std::uint64_t>(context.clock.steady().time_since_epoch().count()) ^
              reinterpret_cast<std::uintptr_t>(this)) {}

bool Retry::wait() {
  if (tries_ >= policy_.tries) return false;
  milliseconds pause = policy_.first_pause * (1 << std::min(tries_ - 1, 16u));
  if (asked_) pause = std::max(pause, *std::exchange(asked_, std::nullopt));
  pause = std::min(varied(pause), policy_.longest_pause);
  if (slept_ + pause > policy_.total) return false;
  ++tries_;
  slept_ += pause;
  context_.clock.sleep(pause, context_.stop);
  return true;
}

void Retry::reset() {
  tries_ = 1;
  slept_ = milliseconds(0);
}

// Only ever longer, so that a server's Retry-After is kept.
milliseconds Retry::varied(milliseconds pause) {
  random_ = random_ * 6364136223846793005u + 1442695040888963407u;
  return pause + pause * static_cast<int>(random_ >> 40 & 255) / 1024;
}

bool is_temporary(int status) {
  return status == 408 || status == 429 || status == 500 || (status >= 502 && status <= 504);
}

std::unique_ptr<HttpResponse> send_with_retries(const Context& context,
                                                const std::function<bool()>& repeatable,
                                                const std::function<std::unique_ptr<HttpResponse>()>& send) {
  Retry retry(context);
  for (;;) {
    try {
      auto response = send();
      if (!is_temporary(response->status()) || !repeatable()) return response;
      context.log.debug("the registry answered " + status_line(response->status()) + ", trying again");
      retry.ask_for(requested_pause(*response, context.clock));
      if (!retry.wait()) return response;
    } catch (const Error& error) {
      if (error.kind() != Kind::unavailable || !repeatable()) throw;
      context.log.debug(std::string("trying again after: ") + error.what());
      if (!retry.wait()) throw;
    }
  }
}

std::optional<milliseconds> requested_pause(const HttpResponse& response, const Clock& clock) {
  const std::string_view value = trim(response.header("Retry-After"));
  if (const auto seconds = parse_number(value)) {
    return std::chrono::seconds(std::min<std::uint64_t>(*seconds, 24 * 3600));
  }
  if (const auto date = parse_http_date(value)) {
    return std::max(milliseconds(0), std::chrono::duration_cast<milliseconds>(*date - clock.now()));
  }
  if (response.status() == 429) return std::chrono::seconds(2);
  return std::nullopt;
}

}  // namespace lade::registry

#include "common/retry.hpp"

#include <doctest/doctest.h>

#include <vector>

using namespace lade;
using namespace lade::common;
using namespace std::chrono_literals;

namespace {

class FakeClock final : public Clock {
 public:
  std::chrono::system_clock::time_point now() const override { return {}; }
  std::chrono::steady_clock::time_point steady() const override { return {}; }
  void sleep(std::chrono::milliseconds duration, std::stop_token) const override {
    slept.push_back(duration);
  }
  mutable std::vector<std::chrono::milliseconds> slept;
};

class Lines final : public Logger {
 public:
  bool enabled(Level) const noexcept override { return true; }
  void log(Level, std::string_view message) noexcept override { lines.emplace_back(message); }
  std::vector<std::string> lines;
};

struct Trial {
  FakeClock clock;
  Lines log;
  int calls = 0;

  void run(RetryOptions options, int failures, Kind kind) {
    const Context context{{}, log, silent_progress(), clock};
    retry(context, options, [&] {
      if (calls++ < failures) throw Error(kind, "registry is away");
    });
  }
};

}  // namespace

TEST_CASE("retry: waits 1 s, 2 s and up to a tenth more, and says so") {
  Trial trial;
  trial.run({.times = 3}, 2, Kind::unavailable);
  CHECK(trial.calls == 3);
  REQUIRE(trial.clock.slept.size() == 2);
  CHECK(trial.clock.slept[0] >= 1s);
  CHECK(trial.clock.slept[0] <= 1100ms);
  CHECK(trial.clock.slept[1] >= 2s);
  CHECK(trial.log.lines[0] == "Failed, retrying in 1s ... (1/3). Error: registry is away");
}

TEST_CASE("retry: a fixed delay is kept") {
  Trial trial;
  trial.run({.times = 1, .delay = 500ms}, 1, Kind::unavailable);
  CHECK(trial.clock.slept.at(0) >= 500ms);
  CHECK(trial.clock.slept.at(0) <= 550ms);
  CHECK(trial.log.lines.at(0) == "Failed, retrying in 500ms ... (1/1). Error: registry is away");
}

TEST_CASE("retry: the last failure is thrown") {
  Trial trial;
  CHECK_THROWS_WITH(trial.run({.times = 1, .delay = 1ms}, 5, Kind::unavailable), "registry is away");
  CHECK(trial.calls == 2);
}

TEST_CASE("retry: what cannot pass is not repeated") {
  Trial trial;
  CHECK_THROWS_AS(trial.run({.times = 3}, 5, Kind::denied), Error);
  CHECK(trial.calls == 1);
}

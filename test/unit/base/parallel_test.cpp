#include "base/parallel.hpp"

#include <doctest/doctest.h>
#include <atomic>
#include <vector>

using namespace lade;

TEST_CASE("parallel_for calls every index exactly once") {
  std::vector<std::atomic<int>> calls(100);
  parallel_for(background(), calls.size(), 8, [&](const Context&, std::size_t i) { ++calls[i]; });
  for (const auto& count : calls) CHECK(count == 1);
}

TEST_CASE("parallel_for does nothing for no items") {
  parallel_for(background(), 0, 4, [](const Context&, std::size_t) { FAIL("called"); });
}

TEST_CASE("the first failure stops the others and is the one reported") {
  std::atomic<int> cancelled{0};
  const auto work = [&](const Context& context, std::size_t i) {
    if (i == 0) throw Error(Kind::system, "the first");
    try {
      context.clock.sleep(std::chrono::seconds(60), context.stop);
    } catch (const Cancelled&) {
      ++cancelled;
      throw;
    }
  };
  CHECK_THROWS_WITH_AS(parallel_for(background(), 4, 4, work), "the first", Error);
  CHECK(cancelled <= 3);
}

TEST_CASE("a stop of the caller reaches the workers") {
  std::stop_source source;
  const auto work = [&](const Context& context, std::size_t) {
    source.request_stop();
    context.throw_if_stopped();
  };
  CHECK_THROWS_AS(parallel_for(background().with_stop(source.get_token()), 3, 2, work), Cancelled);
}

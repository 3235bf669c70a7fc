#include "copy/once.hpp"

#include <doctest/doctest.h>
#include <atomic>
#include <string>

#include "base/parallel.hpp"
#include "copy/slots.hpp"

using namespace lade;

TEST_CASE("work for one key is done once, whoever asks") {
  copy::Once<std::string, int> once;
  std::atomic<int> runs{0}, firsts{0};
  parallel_for(background(), 16, 8, [&](const Context&, std::size_t) {
    bool first = false;
    CHECK(once.get(
              "a", [&] { return ++runs, 7; }, first) == 7);
    if (first) ++firsts;
  });
  CHECK(runs == 1);
  CHECK(firsts == 1);
}

TEST_CASE("all who asked for failed work get its failure") {
  copy::Once<std::string, int> once;
  const auto fail = []() -> int { throw Error(Kind::system, "broken"); };
  bool first = false;
  CHECK_THROWS_WITH_AS(once.get("a", fail, first), "broken", Error);
  CHECK_THROWS_WITH_AS(once.get(
                           "a", [] { return 1; }, first),
                       "broken", Error);
  CHECK_FALSE(first);
}

TEST_CASE("no more than the given number of slots are held at once") {
  copy::Slots slots(2);
  std::atomic<int> held{0}, most{0};
  parallel_for(background(), 64, 8, [&](const Context& context, std::size_t) {
    auto slot = slots.acquire(context);
    const int now = ++held;
    for (int seen = most; now > seen && !most.compare_exchange_weak(seen, now);) {
    }
    --held;
  });
  CHECK(most <= 2);
}

TEST_CASE("waiting for a slot ends when the context is stopped") {
  copy::Slots slots(1);
  auto held = slots.acquire(background());
  std::stop_source source;
  source.request_stop();
  CHECK_THROWS_AS(slots.acquire(background().with_stop(source.get_token())), Cancelled);
}

#include "os/lock_file.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <future>
#include <optional>
#include <thread>

#include "support/temp_dir.hpp"

using namespace lade;
using namespace lade::os;

TEST_CASE("an exclusive lock is held by one at a time") {
  const test::Directory directory;
  std::atomic<int> inside = 0;
  std::atomic<bool> overlapped = false;
  const auto work = [&] {
    for (int i = 0; i < 20; ++i) {
      const LockFile lock(background(), directory / "lock");
      if (++inside != 1) overlapped = true;
      std::this_thread::yield();
      --inside;
    }
  };
  std::jthread first(work);
  std::jthread second(work);
  first.join();
  second.join();
  CHECK_FALSE(overlapped);
}

TEST_CASE("shared locks do not exclude each other") {
  const test::Directory directory;
  const LockFile first(background(), directory / "lock", LockFile::Mode::shared);
  const LockFile second(background(), directory / "lock", LockFile::Mode::shared);
  CHECK(directory.has("lock"));
}

TEST_CASE("a directory is locked without a file of its own") {
  const test::Directory directory;
  const LockFile lock(background(), directory.path());
  CHECK(directory.snapshot().empty());
}

TEST_CASE("waiting for a lock ends when the context is stopped") {
  const test::Directory directory;
  const LockFile held(background(), directory.path());
  std::stop_source stop;
  const Context context = background().with_stop(stop.get_token());
  auto waiting = std::async(std::launch::async, [&] { const LockFile lock(context, directory.path()); });
  stop.request_stop();
  CHECK_THROWS_AS(waiting.get(), Cancelled);
}

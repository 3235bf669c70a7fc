#include "os/record_lock.hpp"

#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <future>
#include <thread>

#include "os/file.hpp"
#include "support/temp_dir.hpp"

using namespace lade;
using namespace lade::os;

using Mode = RecordLock::Mode;

TEST_CASE("record lock: held exclusively by one thread at a time") {
  const test::Directory directory;
  std::atomic<int> inside = 0;
  std::atomic<bool> overlapped = false;
  const auto work = [&] {
    for (int i = 0; i < 20; ++i) {
      const RecordLock lock(background(), directory / "lock", Mode::exclusive);
      if (++inside != 1) overlapped = true;
      std::this_thread::yield();
      --inside;
    }
  };
  std::jthread first(work), second(work);
  first.join();
  second.join();
  CHECK_FALSE(overlapped);
}

TEST_CASE("record lock: shared ones do not exclude each other, but exclude an exclusive one") {
  const test::Directory directory;
  const RecordLock first(background(), directory / "lock", Mode::shared);
  CHECK(RecordLock::try_lock(directory / "lock", Mode::shared).has_value());
  CHECK_FALSE(RecordLock::try_lock(directory / "lock", Mode::exclusive).has_value());
}

TEST_CASE("record lock: a POSIX record lock of another process keeps us out") {
  const test::Directory directory;
  directory.write("lock", "");
  const std::string path = (directory / "lock").string();
  int to_parent[2];
  REQUIRE(::pipe(to_parent) == 0);
  const pid_t child = ::fork();
  if (child == 0) {
    const int fd = ::open(path.c_str(), O_RDWR);
    struct flock request {};
    request.l_type = F_WRLCK;
    if (::fcntl(fd, F_SETLKW, &request) != 0 || ::write(to_parent[1], "x", 1) != 1) ::_exit(1);
    ::pause();
    ::_exit(0);
  }
  char byte = 0;
  REQUIRE(::read(to_parent[0], &byte, 1) == 1);
  CHECK_FALSE(RecordLock::try_lock(path, Mode::shared).has_value());
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  CHECK(RecordLock::try_lock(path, Mode::exclusive).has_value());
  ::close(to_parent[0]);
  ::close(to_parent[1]);
}

TEST_CASE("record lock: waiting ends when the context is stopped") {
  const test::Directory directory;
  const RecordLock held(background(), directory / "lock", Mode::exclusive);
  std::stop_source stop;
  const Context context = background().with_stop(stop.get_token());
  auto waiting = std::async(std::launch::async,
                            [&] { const RecordLock lock(context, directory / "lock", Mode::shared); });
  stop.request_stop();
  CHECK_THROWS_AS(waiting.get(), Cancelled);
}

TEST_CASE("record lock: who waited for a file that was removed locks the new one") {
  const test::Directory directory;
  auto held = std::make_unique<RecordLock>(background(), directory / "lock", Mode::exclusive);
  auto waiting = std::async(std::launch::async, [&] {
    const RecordLock lock(background(), directory / "lock", Mode::exclusive);
    return RecordLock::try_lock(directory / "lock", Mode::exclusive).has_value();
  });
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  remove_file(directory / "lock");
  held.reset();
  CHECK_FALSE(waiting.get());
}

TEST_CASE("record lock: trying and reading create no file") {
  const test::Directory directory;
  CHECK_FALSE(RecordLock::try_lock(directory / "lock", Mode::exclusive).has_value());
  CHECK_FALSE(RecordLock::lock_read_only(background(), directory / "lock").has_value());
  CHECK_FALSE(directory.has("lock"));
}

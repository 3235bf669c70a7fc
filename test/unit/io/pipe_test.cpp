#include "io/pipe.hpp"

#include <doctest/doctest.h>

#include <thread>

#include "base/error.hpp"

using namespace lade;

TEST_CASE("what goes into a pipe comes out of it in order, however small it is") {
  std::string text;
  for (int i = 0; i < 5000; ++i) text += std::to_string(i);
  io::Pipe pipe(7);
  std::thread writer([&] {
    for (std::size_t at = 0, size = 1; at < text.size(); at += size, size = size % 11 + 1) {
      pipe.write(io::as_bytes(std::string_view(text).substr(at, size)));
    }
    pipe.finish();
  });
  const std::string read = io::read_all(pipe, 1 << 20, "pipe");
  writer.join();
  CHECK(read == text);
}

TEST_CASE("a writer is woken when nobody reads any more") {
  io::Pipe pipe(4);
  std::thread reader([&] { pipe.hang_up(); });
  const std::string text(100, 'x');
  CHECK_THROWS_AS(pipe.write(io::as_bytes(text)), Error);
  reader.join();
  CHECK(pipe.hung_up());
}

TEST_CASE("a reader that waits is woken by a stop") {
  io::Pipe pipe(4);
  std::stop_source stop;
  pipe.stop_reading_with(stop.get_token());
  std::thread other([&] { stop.request_stop(); });
  std::byte byte{};
  CHECK_THROWS_AS(pipe.read({&byte, 1}), Cancelled);
  other.join();
}

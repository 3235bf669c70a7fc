#include "common/prompt.hpp"

#include <fmt/format.h>
#include <poll.h>
#include <termios.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <span>

#include "base/error.hpp"
#include "base/scope_exit.hpp"

namespace lade::common {
namespace {

constexpr int stdin_fd = 0;
constexpr int look_around_ms = 100;
constexpr std::size_t longest_line = 64 * 1024;

// How many bytes came; 0 at the end. Looks for a request to stop while it waits.
std::size_t read_some(std::span<char> buffer, const std::stop_token& stop) {
  pollfd waiting = {stdin_fd, POLLIN, 0};
  for (;;) {
    if (stop.stop_requested()) throw Cancelled();
    const int ready = poll(&waiting, 1, look_around_ms);
    if (ready < 0 && errno != EINTR) throw Error::from_errno(errno, "poll /dev/stdin");
    if (ready <= 0) continue;
    const ssize_t count = read(stdin_fd, buffer.data(), buffer.size());
    if (count >= 0) return static_cast<std::size_t>(count);
    if (errno != EINTR && errno != EAGAIN) throw Error::from_errno(errno, "read /dev/stdin");
  }
}

// Byte by byte: what follows the line belongs to the next question.
std::string read_line(const std::stop_token& stop) {
  std::string line;
  std::array<char, 1> byte{};
  while (read_some(byte, stop) > 0) {
    if (byte[0] == '\n') return line;
    if (line.size() == longest_line)
      throw Error(Kind::invalid_input, "the line read from /dev/stdin is too long");
    if (byte[0] != '\r') line += byte[0];
  }
  if (line.empty()) throw Error(Kind::invalid_input, "EOF");
  return line;
}

}  // namespace

std::string ask(Output& out, std::string_view prompt, const std::stop_token& stop) {
  out.write(prompt);
  out.flush();
  return read_line(stop);
}

std::string ask_secret(Output& out, std::string_view prompt, const std::stop_token& stop) {
  termios before{};
  const bool terminal = tcgetattr(stdin_fd, &before) == 0;
  termios silent = before;
  silent.c_lflag &= ~static_cast<tcflag_t>(ECHO);
  if (terminal) tcsetattr(stdin_fd, TCSAFLUSH, &silent);
  const ScopeExit restore([&] {
    if (terminal) tcsetattr(stdin_fd, TCSAFLUSH, &before);
  });
  std::string line = ask(out, prompt, stop);
  out.line("");
  return line;
}

std::string read_standard_input(std::size_t limit, const std::stop_token& stop) {
  std::string text;
  std::array<char, 4096> buffer{};
  while (const std::size_t count = read_some(buffer, stop)) {
    text.append(buffer.data(), count);
    if (text.size() > limit) {
      throw Error(Kind::invalid_input, fmt::format("more than {} bytes on /dev/stdin", limit));
    }
  }
  return text;
}

}  // namespace lade::common

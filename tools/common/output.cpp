#include "common/output.hpp"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "base/error.hpp"

namespace lade::common {
namespace {

constexpr std::size_t buffer_size = 64 * 1024;

// How many bytes went out; -1 with errno set if the descriptor takes no more.
ssize_t write_some(int fd, std::string_view text) noexcept {
  ssize_t count = 0;
  do {
    count = ::write(fd, text.data(), text.size());
  } while (count < 0 && errno == EINTR);
  return count;
}

winsize window_of(int fd) {
  winsize window{};
  if (ioctl(fd, TIOCGWINSZ, &window) != 0) window = {};
  return window;
}

}  // namespace

void Output::write(std::string_view text) {
  buffer_ += text;
  if (buffer_.size() >= buffer_size) flush();
}

void Output::line(std::string_view text) {
  write(text);
  write("\n");
}

void Output::flush() {
  std::string_view rest = buffer_;
  while (!rest.empty()) {
    const ssize_t count = write_some(fd_, rest);
    if (count < 0) {
      buffer_.clear();
      throw Error::from_errno(errno, "write " + name_);
    }
    rest.remove_prefix(static_cast<std::size_t>(count));
  }
  buffer_.clear();
}

bool Output::is_terminal() const {
  return isatty(fd_) == 1;
}

void write_best_effort(int fd, std::string_view text) noexcept {
  while (!text.empty()) {
    const ssize_t count = write_some(fd, text);
    if (count <= 0) return;
    text.remove_prefix(static_cast<std::size_t>(count));
  }
}

unsigned terminal_columns(int fd) {
  const unsigned columns = window_of(fd).ws_col;
  return columns == 0 ? 80 : columns;
}

unsigned terminal_rows(int fd) {
  const unsigned rows = window_of(fd).ws_row;
  return rows == 0 ? 24 : rows;
}

std::string format_bytes(double bytes) {
  constexpr std::array byte_units = {"B", "KiB", "MiB", "GiB", "TiB", "PiB"};
  std::size_t unit = 0;
  while (bytes >= 1024 && unit + 1 < byte_units.size()) {
    bytes /= 1024;
    ++unit;
  }
  return unit == 0 ? fmt::format("{:.0f}B", bytes) : fmt::format("{:.1f}{}", bytes, byte_units[unit]);
}

}  // namespace lade::common

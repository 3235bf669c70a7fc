// Buffered bytes to a file descriptor.
#pragma once

#include <string>
#include <string_view>

namespace lade::common {

// Not thread-safe. What is buffered and not flushed when it is destroyed is lost: finish with flush().
class Output {
 public:
  // Does not own `fd`. `name` is for messages: "/dev/stdout".
  Output(int fd, std::string name) : fd_(fd), name_(std::move(name)) {}

  // Kind::system "write <name>: <reason>", also for a reader that is gone.
  void write(std::string_view text);
  void line(std::string_view text);
  void flush();

  int fd() const { return fd_; }
  bool is_terminal() const;

 private:
  int fd_;
  std::string name_;
  std::string buffer_;
};

// All of `text` at once, as far as the system allows; errors are ignored (standard error has nobody to tell).
void write_best_effort(int fd, std::string_view text) noexcept;

// Columns of the terminal; 80 if unknown.
unsigned terminal_columns(int fd);
unsigned terminal_rows(int fd);

// "12.3MiB", "45B": three significant digits, binary units.
std::string format_bytes(double bytes);

}  // namespace lade::common

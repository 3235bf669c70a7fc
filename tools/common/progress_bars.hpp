// Live bars on a terminal, drawn ten times a second by a thread of their own.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/progress.hpp"
#include "common/log_format.hpp"

namespace lade::common {

// What one line shows. Public for tests.
struct Bar {
  std::string title;  // "Copying blob 15ba6c1d46d3"
  std::optional<std::uint64_t> size;
  std::uint64_t bytes = 0;
  std::chrono::duration<double> elapsed{0};
};

// "Copying blob 15ba6c1d46d3 [=====>----] 12.3MiB / 45.6MiB | 1.2MiB/s | 0:27 left", at most `columns` wide.
std::string render_bar(const Bar& bar, unsigned columns);

class BarsProgress final : public Progress {
 public:
  // Takes over the logger's lines as long as it lives, so that they stand above the bars.
  BarsProgress(int fd, LogrusLogger& logger);
  ~BarsProgress() override;

  void step(std::string_view words) override;
  std::unique_ptr<Transfer> start(std::string_view noun, std::string_view digest,
                                  std::optional<std::uint64_t> size) override;

 private:
  class Line;
  struct State;

  void draw_until_stopped();
  // All three with mutex_ held.
  void print_above(std::string_view text, int fd);
  void erase();
  void draw();

  int fd_;
  LogrusLogger& logger_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::list<State> active_;
  std::size_t drawn_ = 0;  // lines on the screen that will be drawn over
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace lade::common

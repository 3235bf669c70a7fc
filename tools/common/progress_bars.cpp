#include "common/progress_bars.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <cmath>

#include "common/output.hpp"

namespace lade::common {
namespace {

using Steady = std::chrono::steady_clock;

constexpr auto frame_time = std::chrono::milliseconds(100);
constexpr unsigned widest_bar = 40;
constexpr std::size_t shown_hex = 12;

std::string short_digest(std::string_view digest) {
  const std::size_t colon = digest.find(':');
  return std::string(digest.substr(colon == std::string_view::npos ? 0 : colon + 1).substr(0, shown_hex));
}

std::string format_left(double seconds) {
  const auto whole = static_cast<std::uint64_t>(std::ceil(seconds));
  if (whole >= 3600) return fmt::format("{}:{:02}:{:02}", whole / 3600, whole / 60 % 60, whole % 60);
  return fmt::format("{}:{:02}", whole / 60, whole % 60);
}

std::string drawn_bar(double share, unsigned width) {
  const auto filled = static_cast<unsigned>(std::clamp(share, 0.0, 1.0) * width);
  std::string bar(width, '-');
  std::fill_n(bar.begin(), filled, '=');
  if (filled > 0 && filled < width) bar[filled - 1] = '>';
  return "[" + bar + "]";
}

// What stands behind the bar.
std::string figures(const Bar& bar) {
  const double seconds = bar.elapsed.count();
  const double speed = seconds > 0.2 ? static_cast<double>(bar.bytes) / seconds : 0;
  std::string out = format_bytes(static_cast<double>(bar.bytes));
  if (bar.size) out += " / " + format_bytes(static_cast<double>(*bar.size));
  if (speed <= 0) return out;
  out += " | " + format_bytes(speed) + "/s";
  const bool running = bar.size && bar.bytes < *bar.size;
  return running ? out + " | " + format_left(static_cast<double>(*bar.size - bar.bytes) / speed) + " left"
                 : out;
}

std::string outcome_text(Transfer::Outcome outcome, const Bar& bar) {
  switch (outcome) {
    case Transfer::Outcome::done: return fmt::format("{} done   | {}", bar.title, figures(bar));
    case Transfer::Outcome::already_exists: return bar.title + " skipped: already exists";
    case Transfer::Outcome::mounted: return bar.title + " mounted from another repository";
  }
  return bar.title;
}

}  // namespace

std::string render_bar(const Bar& bar, unsigned columns) {
  const std::string tail = figures(bar);
  const std::size_t fixed = bar.title.size() + tail.size() + 4;
  std::string middle;
  if (bar.size && *bar.size > 0 && columns > fixed + 4) {
    const auto room = static_cast<unsigned>(columns - fixed);
    middle = drawn_bar(static_cast<double>(bar.bytes) / static_cast<double>(*bar.size),
                       std::min(room, widest_bar)) +
             " ";
  }
  return fmt::format("{} {}{}", bar.title, middle, tail).substr(0, columns);
}

struct BarsProgress::State {
  std::string title;
  std::optional<std::uint64_t> size;
  Steady::time_point started = Steady::now();
  std::atomic<std::uint64_t> bytes = 0;

  Bar bar() const { return {title, size, bytes, Steady::now() - started}; }
};

// A transfer that the screen shows; its place in the list goes with it.
class BarsProgress::Line final : public Transfer {
 public:
  Line(BarsProgress& owner, std::list<State>::iterator state) : owner_(owner), state_(state) {}
  ~Line() override {
    const std::lock_guard lock(owner_.mutex_);
    owner_.erase();
    owner_.active_.erase(state_);
    owner_.draw();
  }

  void advance(std::uint64_t bytes) noexcept override { state_->bytes += bytes; }

  void finish(Outcome outcome) noexcept override {
    const std::lock_guard lock(owner_.mutex_);
    const std::string text = outcome_text(outcome, state_->bar()) + "\n";
    state_->title.clear();  // no bar any more
    owner_.print_above(text, owner_.fd_);
  }

 private:
  BarsProgress& owner_;
  std::list<State>::iterator state_;
};

BarsProgress::BarsProgress(int fd, LogrusLogger& logger) : fd_(fd), logger_(logger) {
  logger_.redirect([this](std::string_view line) {
    const std::lock_guard lock(mutex_);
    print_above(line, 2);
  });
  thread_ = std::thread([this] { draw_until_stopped(); });
}

BarsProgress::~BarsProgress() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    erase();
  }
  wake_.notify_all();
  thread_.join();
  logger_.redirect(nullptr);
}

void BarsProgress::step(std::string_view words) {
  const std::lock_guard lock(mutex_);
  print_above(std::string(words) + "\n", fd_);
}

std::unique_ptr<Transfer> BarsProgress::start(std::string_view noun, std::string_view digest,
                                              std::optional<std::uint64_t> size) {
  const std::lock_guard lock(mutex_);
  State& state = active_.emplace_back();
  state.title = fmt::format("Copying {} {}", noun, short_digest(digest));
  state.size = size;
  return std::make_unique<Line>(*this, std::prev(active_.end()));
}

void BarsProgress::draw_until_stopped() {
  std::unique_lock lock(mutex_);
  while (!wake_.wait_for(lock, frame_time, [this] { return stopping_; })) {
    erase();
    draw();
  }
}

void BarsProgress::print_above(std::string_view text, int fd) {
  erase();
  write_best_effort(fd, text);
  draw();
}

void BarsProgress::erase() {
  if (drawn_ == 0) return;
  // Up to the first bar, and everything below it away.
  write_best_effort(fd_, fmt::format("\x1b[{}A\r\x1b[J", drawn_));
  drawn_ = 0;
}

void BarsProgress::draw() {
  if (stopping_) return;
  const unsigned columns = terminal_columns(fd_);
  const std::size_t room = std::max(2u, terminal_rows(fd_)) - 1;
  std::string picture;
  for (const State& state : active_) {
    if (state.title.empty()) continue;
    if (drawn_ == room) break;
    picture += render_bar(state.bar(), columns - 1) + "\n";
    ++drawn_;
  }
  write_best_effort(fd_, picture);
}

}  // namespace lade::common

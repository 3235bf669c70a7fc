#include "registry/widening_reader.hpp"

#include <utility>

namespace lade::registry {

namespace {

using std::chrono::duration;

constexpr std::chrono::milliseconds look_interval{400};
constexpr std::chrono::seconds worth_widening{2};

}  // namespace

WideningReader::WideningReader(const Context& context, std::unique_ptr<io::Reader> narrow, std::uint64_t size,
                               Widen widen)
    : context_(context), current_(std::move(narrow)), size_(size), widen_(std::move(widen)) {}

std::size_t WideningReader::read(io::Buffer buffer) {
  if (!widen_) return current_->read(buffer);
  const auto begin = context_.clock.steady();
  const std::size_t count = current_->read(buffer);
  offset_ += count;
  if (count != 0) measure(context_.clock.steady() - begin, count);
  return count;
}

void WideningReader::measure(std::chrono::steady_clock::duration waited, std::size_t received) {
  waited_ += waited;
  received_ += received;
  if (waited_ < look_interval || offset_ >= size_) return;
  const double bytes_per_second = static_cast<double>(received_) / duration<double>(waited_).count();
  const duration<double> left(static_cast<double>(size_ - offset_) / bytes_per_second);
  waited_ = {};
  received_ = 0;
  if (left < worth_widening) return;
  if (auto wide = std::exchange(widen_, nullptr)(offset_)) current_ = std::move(wide);
}

}  // namespace lade::registry

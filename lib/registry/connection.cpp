#include "registry/connection.hpp"

#include <algorithm>
#include <cstring>

namespace lade::registry {

namespace {

constexpr std::size_t ahead_size = 16 * 1024;

// Moves the front of `parts` over `count` sent bytes.
void skip_sent(std::span<iovec>& parts, std::size_t count) {
  while (!parts.empty() && count >= parts.front().iov_len) {
    count -= parts.front().iov_len;
    parts.front().iov_len = 0;
    parts = parts.subspan(1);
  }
  if (parts.empty()) return;
  parts.front().iov_base = static_cast<char*>(parts.front().iov_base) + count;
  parts.front().iov_len -= count;
}

}  // namespace

void Connection::wait(Attempt::State state) {
  const short events = state == Attempt::State::want_write ? POLLOUT : POLLIN;
  if (!patience_.wait(channel_->socket(), events, stop_)) throw Error(Kind::unavailable, std::string(late_));
}

std::size_t Connection::read(io::Buffer buffer) {
  if (!ahead().empty()) {
    const std::size_t count = std::min(buffer.size(), ahead().size());
    std::memcpy(buffer.data(), ahead().data(), count);
    consume(count);
    return count;
  }
  while (!at_end_) {
    if (stop_.stop_requested()) throw Cancelled();
    const Attempt attempt = channel_->try_read(buffer);
    if (attempt.state == Attempt::State::broken) throw Error(attempt.kind, attempt.trouble);
    if (attempt.state == Attempt::State::moved) {
      patience_.moved(attempt.count);
      return attempt.count;
    }
    if (attempt.state == Attempt::State::end) {
      at_end_ = true;
    } else {
      wait(attempt.state);
    }
  }
  return 0;
}

Attempt::State Connection::receive_ahead() {
  if (at_end_) return Attempt::State::end;
  if (used_ > 0) {
    ahead_.erase(0, used_);
    used_ = 0;
  }
  const std::size_t size = ahead_.size();
  ahead_.resize(size + ahead_size);
  Attempt attempt = channel_->try_read(std::as_writable_bytes(std::span(ahead_).subspan(size)));
  ahead_.resize(size + (attempt.state == Attempt::State::moved ? attempt.count : 0));
  if (attempt.state == Attempt::State::moved) {
    patience_.moved(attempt.count);
    received_ = true;
  }
  if (attempt.state == Attempt::State::end) at_end_ = true;
  if (attempt.state == Attempt::State::broken) trouble_ = attempt;
  return attempt.state;
}

bool Connection::peer_spoke() {
  const Attempt::State state = receive_ahead();
  return state != Attempt::State::want_read && state != Attempt::State::want_write;
}

bool Connection::fill() {
  while (true) {
    if (stop_.stop_requested()) throw Cancelled();
    const Attempt::State state = receive_ahead();
    if (state == Attempt::State::moved) return true;
    if (state == Attempt::State::end) return false;
    if (state == Attempt::State::broken) throw Error(trouble_.kind, trouble_.trouble);
    wait(state);
  }
}

void Connection::consume(std::size_t count) {
  used_ += count;
  if (used_ < ahead_.size()) return;
  ahead_.clear();
  used_ = 0;
}

Connection::Sent Connection::write(std::span<iovec> parts) {
  skip_sent(parts, 0);
  while (true) {
    if (stop_.stop_requested()) throw Cancelled();
    const Attempt attempt = parts.empty() ? channel_->try_flush() : channel_->try_write(parts);
    if (attempt.state == Attempt::State::broken) {
      trouble_ = attempt;
      return Sent::broken;
    }
    if (attempt.state == Attempt::State::moved) {
      if (parts.empty()) return Sent::all;
      patience_.moved(attempt.count);
      skip_sent(parts, attempt.count);
      continue;
    }
    const short events = attempt.state == Attempt::State::want_write ? POLLIN | POLLOUT : POLLIN;
    if (!patience_.wait(channel_->socket(), events, stop_))
      throw Error(Kind::unavailable, std::string(late_));
    if (peer_spoke()) return Sent::interrupted;
  }
}

}  // namespace lade::registry

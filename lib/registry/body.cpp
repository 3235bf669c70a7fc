#include "registry/body.hpp"

#include <algorithm>
#include <charconv>

#include "registry/text.hpp"

namespace lade::registry {

namespace {

constexpr std::size_t max_chunk_line = 4096;
constexpr std::size_t max_trailers = 64 * 1024;
// As Go's net/http/internal: extensions and tiny chunks must not make up most of the traffic.
constexpr std::uint64_t max_overhead = 16 * 1024;
// A chunk at least so large is read straight into the caller's buffer.
constexpr std::uint64_t direct_read = 32 * 1024;

// "1a2b; extension".
std::uint64_t parse_chunk_size(std::string_view line) {
  const std::string_view digits = trim(line.substr(0, line.find(';')));
  std::uint64_t size = 0;
  const char* end = digits.data() + digits.size();
  const auto [last, error] = std::from_chars(digits.data(), end, size, 16);
  if (digits.empty() || error != std::errc() || last != end) {
    throw Error(Kind::invalid_input, "invalid byte in chunk length");
  }
  return size;
}

[[noreturn]] void throw_cut() {
  throw Error(Kind::unavailable, "unexpected EOF");
}

}  // namespace

BodyReader::BodyReader(std::unique_ptr<Connection> connection, Framing framing, GiveBack give_back)
    : connection_(std::move(connection)),
      framing_(framing),
      give_back_(std::move(give_back)),
      left_(framing.length) {
  if (framing_.kind == Framing::Kind::none) finish();
  if (framing_.kind == Framing::Kind::length && left_ == 0) finish();
}

BodyReader::~BodyReader() {
  if (!connection_ || framing_.kind != Framing::Kind::length || connection_->ahead().size() < left_) return;
  connection_->consume(left_);
  finish();
}

std::size_t BodyReader::read(io::Buffer buffer) {
  if (!connection_) return 0;
  switch (framing_.kind) {
    case Framing::Kind::none: return 0;
    case Framing::Kind::length: return read_length(buffer);
    case Framing::Kind::chunked: return read_chunked(buffer);
    case Framing::Kind::until_close: return read_until_close(buffer);
  }
  return 0;
}

std::size_t BodyReader::read_length(io::Buffer buffer) {
  const std::size_t count = connection_->read(buffer.first(std::min<std::uint64_t>(buffer.size(), left_)));
  if (count == 0) throw_cut();
  left_ -= count;
  if (left_ == 0) finish();
  return count;
}

std::size_t BodyReader::read_until_close(io::Buffer buffer) {
  const std::size_t count = connection_->read(buffer);
  if (count == 0) finish();
  return count;
}

std::size_t BodyReader::read_chunked(io::Buffer buffer) {
  if (left_ == 0 && !begin_chunk()) {
    skip_trailers();
    finish();
    return 0;
  }
  // Small chunks are read together: one recv brings many of them.
  if (connection_->ahead().empty() && left_ < direct_read && !connection_->fill()) throw_cut();
  const std::size_t count = connection_->read(buffer.first(std::min<std::uint64_t>(buffer.size(), left_)));
  if (count == 0) throw_cut();
  left_ -= count;
  return count;
}

// False at the last chunk.
bool BodyReader::begin_chunk() {
  if (in_chunk_ && !take_line(2).empty()) throw Error(Kind::invalid_input, "malformed chunked encoding");
  const std::string line = take_line(max_chunk_line);
  left_ = parse_chunk_size(line);
  in_chunk_ = left_ > 0;
  overhead_ += line.size() + 4;
  overhead_ -= std::min(overhead_, 16 + 2 * std::min<std::uint64_t>(left_, max_overhead));
  if (overhead_ > max_overhead) {
    throw Error(Kind::invalid_input, "chunked encoding contains too much non-data");
  }
  return in_chunk_;
}

void BodyReader::skip_trailers() {
  std::size_t size = 0;
  while (true) {
    const std::string line = take_line(max_chunk_line);
    if (line.empty()) return;
    size += line.size();
    if (size > max_trailers)
      throw Error(Kind::invalid_input, "http: suspiciously long trailer after chunked body");
  }
}

// Without its CRLF or LF.
std::string BodyReader::take_line(std::size_t limit) {
  while (true) {
    const std::string_view bytes = connection_->ahead();
    const std::size_t end = bytes.find('\n');
    if (end != bytes.npos) {
      std::string line(bytes.substr(0, end));
      connection_->consume(end + 1);
      if (line.ends_with('\r')) line.pop_back();
      return line;
    }
    if (bytes.size() >= limit) throw Error(Kind::invalid_input, "malformed chunked encoding");
    if (!connection_->fill()) throw_cut();
  }
}

void BodyReader::finish() {
  std::unique_ptr<Connection> ended = std::move(connection_);
  const bool clean =
      framing_.kind != Framing::Kind::until_close && ended->ahead().empty() && !ended->at_end();
  if (clean && give_back_) give_back_(std::move(ended));
}

}  // namespace lade::registry

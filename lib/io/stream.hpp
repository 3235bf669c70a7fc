// Pull streams. Everything that moves bytes is a Reader or a Writer.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace lade::io {

using Bytes = std::span<const std::byte>;
using Buffer = std::span<std::byte>;

// How much is moved at a time between sockets, hashes and files.
inline constexpr std::size_t chunk_size = 256 * 1024;

class Reader {
 public:
  virtual ~Reader() = default;
  // Fills at most buffer.size() bytes (> 0) and returns how many; 0 means the end was reached in order.
  // A truncated or broken stream throws. After the end, or after a throw, it MUST NOT be called again.
  virtual std::size_t read(Buffer buffer) = 0;
};

class Writer {
 public:
  virtual ~Writer() = default;
  // Writes all of data or throws.
  virtual void write(Bytes data) = 0;
};

inline Bytes as_bytes(std::string_view text) { return std::as_bytes(std::span(text)); }
inline std::string_view as_text(Bytes data) {
  return {reinterpret_cast<const char*>(data.data()), data.size()};
}

// Reads until the end into writer; returns the number of bytes.
std::uint64_t copy(Reader& reader, Writer& writer);

// The whole stream as text; Kind::invalid_input if it is longer than limit.
// `what` names the document in the error ("manifest", "token response").
std::string read_all(Reader& reader, std::uint64_t limit, std::string_view what);

// Reads and drops everything.
void drain(Reader& reader);

// Fills buffer unless the end comes first; returns the number of bytes.
std::size_t read_full(Reader& reader, Buffer buffer);

// Owns the text.
std::unique_ptr<Reader> make_text_reader(std::string text);

}  // namespace lade::io

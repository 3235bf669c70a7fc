// Readers and data for tests of streams.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <limits>
#include <memory>
#include <string>

#include "base/error.hpp"
#include "io/stream.hpp"

namespace lade::test {

// Gives a text in pieces of at most `step` bytes; then ends, or throws Kind::unavailable "broken".
class SlowReader final : public io::Reader {
 public:
  explicit SlowReader(std::string text, std::size_t step = 1, bool breaks = false)
      : text_(std::move(text)), step_(step), breaks_(breaks) {}

  std::size_t read(io::Buffer buffer) override {
    const std::size_t count = std::min({buffer.size(), step_, text_.size() - position_});
    std::memcpy(buffer.data(), text_.data() + position_, count);
    position_ += count;
    if (count == 0 && breaks_) throw Error(Kind::unavailable, "broken");
    if (count == 0) ++ends_;
    return count;
  }
  // How often the end was reported; more than once breaks the contract of Reader.
  int ends() const { return ends_; }

 private:
  std::string text_;
  std::size_t step_;
  bool breaks_;
  std::size_t position_ = 0;
  int ends_ = 0;
};

inline std::string read_text(io::Reader& reader) {
  return io::read_all(reader, std::numeric_limits<std::uint32_t>::max(), "test data");
}

// The same bytes for the same seed, on every machine. `alphabet` 256: incompressible; smaller: compressible.
inline std::string random_bytes(std::size_t size, std::uint64_t seed = 1, unsigned alphabet = 256) {
  std::string text(size, '\0');
  for (char& byte : text) {
    seed = seed * 6364136223846793005U + 1442695040888963407U;
    byte = static_cast<char>((seed >> 33) % alphabet);
  }
  return text;
}

}  // namespace lade::test

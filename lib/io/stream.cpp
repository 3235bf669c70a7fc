#include "io/stream.hpp"

#include <algorithm>
#include <cstring>
#include <vector>

#include "base/error.hpp"

namespace lade::io {

namespace {

class TextReader final : public Reader {
 public:
  explicit TextReader(std::string text) : text_(std::move(text)) {}

  std::size_t read(Buffer buffer) override {
    const std::size_t count = std::min(buffer.size(), text_.size() - position_);
    std::memcpy(buffer.data(), text_.data() + position_, count);
    position_ += count;
    return count;
  }

 private:
  std::string text_;
  std::size_t position_ = 0;
};

}  // namespace

std::uint64_t copy(Reader& reader, Writer& writer) {
  std::vector<std::byte> buffer(chunk_size);
  std::uint64_t total = 0;
  while (const std::size_t count = reader.read(buffer)) {
    writer.write(Bytes(buffer).first(count));
    total += count;
  }
  return total;
}

std::string read_all(Reader& reader, std::uint64_t limit, std::string_view what) {
  std::vector<std::byte> buffer(std::min<std::uint64_t>(limit, 16 * 1024 - 1) + 1);
  std::string text;
  while (const std::size_t count = reader.read(buffer)) {
    if (count > limit - text.size()) {
      throw Error(Kind::invalid_input,
                  std::string(what) + " is larger than " + std::to_string(limit) + " bytes");
    }
    text += as_text(Bytes(buffer).first(count));
  }
  return text;
}

void drain(Reader& reader) {
  std::vector<std::byte> buffer(chunk_size);
  while (reader.read(buffer) != 0) {
  }
}

std::size_t read_full(Reader& reader, Buffer buffer) {
  std::size_t total = 0;
  while (total < buffer.size()) {
    const std::size_t count = reader.read(buffer.subspan(total));
    if (count == 0) break;
    total += count;
  }
  return total;
}

std::unique_ptr<Reader> make_text_reader(std::string text) {
  return std::make_unique<TextReader>(std::move(text));
}

}  // namespace lade::io

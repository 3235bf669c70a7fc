// Many small Zstandard frames in a row, with one encoder or decoder for all of them.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "io/stream.hpp"

namespace lade::io {

// Makes frames, each of what was written since the last one ended. The bytes depend on level and content
// alone, not on how the content was cut into calls.
class ZstdFrameWriter {
 public:
  // level 1..20.
  explicit ZstdFrameWriter(int level);
  ~ZstdFrameWriter();
  // What is ready is appended to `out`.
  void write(Bytes data, std::vector<std::byte>& out);
  // Nothing happens if nothing was written, unless an empty frame is wanted.
  void end(std::vector<std::byte>& out, bool even_if_empty = false);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// Decodes sections of known compressed size that follow one another in a stream.
class ZstdSectionReader final : public Reader {
 public:
  // `inner` is not owned; it need not be at the section's beginning before begin().
  explicit ZstdSectionReader(Reader& inner);
  ~ZstdSectionReader() override;
  // The next section: one or more whole frames in the next `size` bytes of `inner`. What was left of the one
  // before is dropped unread.
  void begin(std::uint64_t size);
  // 0 at the end of the section. Kind::integrity if that is inside a frame, or `inner` ends before.
  std::size_t read(Buffer buffer) override;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace lade::io

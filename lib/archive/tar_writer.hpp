// Writes tar archives byte for byte as Go's archive/tar does for the same headers: ustar where the fields
// fit, else a pax extended header before the ustar one.
#pragma once

#include <cstdint>
#include <string_view>

#include "archive/tar_header.hpp"
#include "io/stream.hpp"

namespace lade::archive {

class TarWriter final : public io::Writer {
 public:
  // `out` is not owned.
  explicit TarWriter(io::Writer& out) : out_(out) {}

  // Begins a member; header.size bytes MUST follow by write().
  void begin(const TarHeader& header);
  // Content of the member; Kind::integrity when it is longer than its header said.
  void write(io::Bytes data) override;
  // A whole member with its content; header.size is set to the size of text.
  void add(TarHeader header, std::string_view text = {});
  // Fills the last block of the member; done by begin() and finish() too.
  void end_member();

  // A member whose size is known only afterwards: begin_open() leaves a block of zeros at offset(), write()
  // takes any number of bytes, and end_open() gives the header that MUST be put in the place of that block.
  // header.name MUST fit in one block; sizes over 8 GiB are in base-256.
  void begin_open();
  TarBlock end_open(TarHeader header);

  // Forgets the member that was begun: the output has been cut back to `offset`, where a member ended.
  void abandon(std::uint64_t offset);

  // The end marker: an archive without it is broken. Kind::integrity when the last member is short.
  void finish();

  // Bytes written so far, or tried to.
  std::uint64_t offset() const { return offset_; }

 private:
  void put(io::Bytes data);
  void write_pax(const std::string& name, const std::string& records);

  io::Writer& out_;
  std::uint64_t left_ = 0;
  std::uint64_t padding_ = 0;
  std::uint64_t offset_ = 0;
  std::uint64_t open_begin_ = 0;
};

}  // namespace lade::archive

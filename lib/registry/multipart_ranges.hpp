// Answers to requests for ranges (RFC 9110 sections 14.4 and 14.6): one part, or several in one body.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "io/byte_range.hpp"
#include "io/stream.hpp"

namespace lade::registry {

// "bytes=0-99,200-299"
std::string range_header(const std::vector<io::ByteRange>& parts);

// Whether a Content-Range ("bytes 0-99/1234") is of this part of something of `total` bytes.
bool is_content_range(std::string_view content_range, const io::ByteRange& part, std::uint64_t total);

// The boundary of "multipart/byteranges; boundary=..."; nullopt for any other type, or a malformed one.
std::optional<std::string> byteranges_boundary(std::string_view content_type);

// The body of such an answer, part by part. Kind::unavailable if it ends early, Kind::unsupported for what
// is not, in this order, what was asked for.
class MultipartRanges final : public io::Reader {
 public:
  // `body` is not owned.
  MultipartRanges(io::Reader& body, std::string_view boundary, std::uint64_t total);

  // Reads to where the content of this part begins. The one before MUST have been read.
  void begin(const io::ByteRange& part);
  // Of the part that was begun, whose size is known: there is no end here.
  std::size_t read(io::Buffer buffer) override;
  // The end of the body, so that the connection can be used again. What is longer than it may be stays.
  void finish();

 private:
  std::string read_line();
  bool fill();

  io::Reader& body_;
  std::string delimiter_;  // "--boundary"
  std::uint64_t total_;
  std::vector<std::byte> buffer_;
  std::size_t begin_ = 0, end_ = 0;
};

}  // namespace lade::registry

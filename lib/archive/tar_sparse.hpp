// Sparse files in tar archives: GNU's old format, and GNU's pax formats 0.0, 0.1 and 1.0.
#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "archive/tar_header.hpp"
#include "io/stream.hpp"

namespace lade::archive {

// Extents MUST be in order, apart, and within `size` bytes; their sum MUST be `stored_size`. Throws
// otherwise.
void check_sparse_map(const std::vector<SparseExtent>& extents, std::uint64_t size,
                      std::uint64_t stored_size);

// "offset,size,offset,size,..." of formats 0.0 and 0.1.
std::vector<SparseExtent> parse_sparse_map(std::string_view text);

// Appends the extents of a header field or a continuation block; stops at the first empty one.
void append_gnu_extents(std::string_view raw, std::vector<SparseExtent>& extents);

// The file with its holes filled: reads the data of the extents, one after the other, from `inner` (not
// owned), which MUST give exactly as many bytes as the extents hold.
class SparseReader final : public io::Reader {
 public:
  SparseReader(io::Reader& inner, std::vector<SparseExtent> extents, std::uint64_t size)
      : inner_(inner), extents_(std::move(extents)), size_(size) {}
  std::size_t read(io::Buffer buffer) override;

 private:
  io::Reader& inner_;
  std::vector<SparseExtent> extents_;
  std::size_t current_ = 0;
  std::uint64_t position_ = 0;
  std::uint64_t size_;
};

}  // namespace lade::archive

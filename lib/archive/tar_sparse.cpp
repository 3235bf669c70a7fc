#include "archive/tar_sparse.hpp"

#include <algorithm>

#include "archive/pax.hpp"
#include "archive/tar_block.hpp"
#include "base/error.hpp"

namespace lade::archive {

void check_sparse_map(const std::vector<SparseExtent>& extents, std::uint64_t size,
                      std::uint64_t stored_size) {
  std::uint64_t end = 0;
  std::uint64_t stored = 0;
  for (const auto& extent : extents) {
    if (extent.offset < end || extent.offset > size || extent.size > size - extent.offset) {
      throw_invalid_tar("malformed sparse map");
    }
    end = extent.offset + extent.size;
    stored += extent.size;
  }
  if (stored != stored_size) throw_invalid_tar("sparse map does not match the data");
}

std::vector<SparseExtent> parse_sparse_map(std::string_view text) {
  std::vector<SparseExtent> extents;
  const auto next = [&text] {
    const auto comma = std::min(text.find(','), text.size());
    const auto number = parse_pax_number(text.substr(0, comma));
    text.remove_prefix(std::min(comma + 1, text.size()));
    return number;
  };
  while (!text.empty()) {
    const auto offset = next();
    extents.push_back({offset, next()});
  }
  return extents;
}

void append_gnu_extents(std::string_view raw, std::vector<SparseExtent>& extents) {
  constexpr std::size_t number_size = 12;
  for (; raw.size() >= 2 * number_size; raw.remove_prefix(2 * number_size)) {
    if (raw.front() == '\0') return;
    TarBlock block{};
    set_text(block, {0, 2 * number_size}, raw);
    const auto offset = number_field(block, {0, number_size});
    const auto size = number_field(block, {number_size, number_size});
    if (offset < 0 || size < 0) throw_invalid_tar("malformed sparse map");
    extents.push_back({static_cast<std::uint64_t>(offset), static_cast<std::uint64_t>(size)});
  }
}

std::size_t SparseReader::read(io::Buffer buffer) {
  while (current_ < extents_.size() && position_ == extents_[current_].offset + extents_[current_].size) {
    ++current_;
  }
  const bool in_tail = current_ == extents_.size();
  const auto hole_end = in_tail ? size_ : extents_[current_].offset;
  if (position_ < hole_end) {
    const auto n = static_cast<std::size_t>(std::min<std::uint64_t>(buffer.size(), hole_end - position_));
    std::fill_n(buffer.begin(), n, std::byte{0});
    position_ += n;
    return n;
  }
  if (in_tail) return 0;
  const auto left = extents_[current_].offset + extents_[current_].size - position_;
  const auto n =
      inner_.read(buffer.first(static_cast<std::size_t>(std::min<std::uint64_t>(buffer.size(), left))));
  if (n == 0) throw Error(Kind::integrity, "unexpected end of a sparse file");
  position_ += n;
  return n;
}

}  // namespace lade::archive

#include "registry/server/range.hpp"

#include <algorithm>

#include "registry/text.hpp"

namespace lade::registry::server {

namespace {

constexpr std::string_view unit = "bytes";

ByteRange clamp(std::uint64_t first, std::uint64_t last, std::uint64_t size) {
  if (first >= size) return {ByteRange::Kind::unsatisfiable, 0, 0};
  return {ByteRange::Kind::part, first, std::min(last, size - 1)};
}

}  // namespace

ByteRange parse_range(std::string_view value, std::uint64_t size) {
  if (!value.starts_with(unit)) return {};
  value = trim(value.substr(unit.size()));
  if (!value.starts_with('=')) return {};
  value = trim(value.substr(1));
  const auto dash = value.find('-');
  if (dash == value.npos) return {};
  const auto first = parse_number(value.substr(0, dash));
  const auto last = parse_number(value.substr(dash + 1));
  const bool open = dash + 1 == value.size();
  if (dash == 0) {  // the last so many bytes
    if (!last) return {};
    if (*last == 0) return {ByteRange::Kind::unsatisfiable, 0, 0};
    return clamp(size - std::min(*last, size), size, size);
  }
  if (!first || (!open && (!last || *last < *first))) return {};
  return clamp(*first, open ? size : *last, size);
}

std::optional<ChunkRange> parse_chunk_range(std::string_view value) {
  value = trim(value);
  if (value.starts_with(unit)) value = trim(value.substr(unit.size()));
  value = value.substr(0, value.find('/'));
  const auto dash = value.find('-');
  if (dash == value.npos) return std::nullopt;
  const auto first = parse_number(value.substr(0, dash));
  const auto last = parse_number(value.substr(dash + 1));
  if (!first || !last || *last < *first) return std::nullopt;
  return ChunkRange{*first, *last};
}

}  // namespace lade::registry::server

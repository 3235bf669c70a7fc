// Byte ranges of requests.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace lade::registry::server {

struct ByteRange {
  enum class Kind { whole, part, unsatisfiable };
  Kind kind = Kind::whole;
  std::uint64_t first = 0, last = 0;  // of a part
};

// The value of Range for a body of `size` bytes (RFC 9110 section 14.2). What is malformed, in another unit
// or has several ranges asks for the whole.
ByteRange parse_range(std::string_view value, std::uint64_t size);

struct ChunkRange {
  std::uint64_t first = 0, last = 0;
};

// The value of Content-Range of a chunk: "<first>-<last>", both included (distribution-spec, "Pushing a blob
// in chunks"); "bytes <first>-<last>/<total or *>" is taken, too. nullopt for anything else.
std::optional<ChunkRange> parse_chunk_range(std::string_view value);

}  // namespace lade::registry::server

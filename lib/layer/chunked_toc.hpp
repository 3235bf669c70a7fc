// zstd:chunked: a layer as zstd frames, one or more a file, behind which three skippable frames hold a table
// of contents (TOC: JSON, compressed), a tar-split (JSON lines, compressed) and a footer of 64 bytes. Who
// knows nothing of it reads plain zstd; who does fetches the TOC by a range, and then only the files it
// lacks. (containers-storage-zstd-chunked(1); where the parts are, and the TOC's digest, is in the
// annotations of the layer's descriptor.)
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "archive/tar_header.hpp"
#include "io/stream.hpp"
#include "spec/descriptor.hpp"

namespace lade::layer {

namespace chunked_annotation {
inline constexpr std::string_view toc_digest = "io.github.containers.zstd-chunked.manifest-checksum";
inline constexpr std::string_view toc_position = "io.github.containers.zstd-chunked.manifest-position";
inline constexpr std::string_view tar_split_position = "io.github.containers.zstd-chunked.tarsplit-position";
// All names of the format begin so.
inline constexpr std::string_view prefix = "io.github.containers.zstd-chunked.";
}  // namespace chunked_annotation

// Of a TOC or a tar-split, compressed and not; containers/storage has the same limit for the TOC.
inline constexpr std::uint64_t max_toc_size = 50 * 1024 * 1024;
inline constexpr std::size_t toc_footer_size = 64;
inline constexpr std::size_t skippable_head_size = 8;

// The content of a skippable frame: a zstd frame of its own. Offsets are from the blob's first byte.
struct TocPart {
  std::uint64_t offset = 0, size = 0;
  std::uint64_t plain_size = 0;
  std::uint64_t end() const { return offset + size; }
  bool operator==(const TocPart&) const = default;
};

struct TocPosition {
  TocPart toc;
  std::optional<TocPart> tar_split;
  bool operator==(const TocPosition&) const = default;
};

// nullopt if the layer has none: it is no zstd:chunked. Kind::invalid_input if it is malformed or no sha256.
std::optional<spec::Digest> find_toc_digest(const spec::Annotations& annotations);
// nullopt if it is not said: the footer has it. Kind::invalid_input for what is malformed, of another type
// than 1, or larger than max_toc_size.
std::optional<TocPosition> find_toc_position(const spec::Annotations& annotations);
spec::Annotations toc_annotations(const spec::Digest& toc_digest, const TocPosition& position);

// The last bytes of the blob, without the head of their skippable frame. Errors as above; nothing but the
// TOC's digest says whether it is true.
TocPosition parse_toc_footer(io::Bytes footer);
std::string format_toc_footer(const TocPosition& position);

// Kind::invalid_input unless the parts lie behind one another in a blob of this size.
void check_toc_position(const TocPosition& position, std::uint64_t blob_size);

// A part of a file that is compressed for itself.
struct TocChunk {
  std::uint64_t size = 0;  // uncompressed
  std::uint64_t blob_offset = 0, blob_size = 0;
  spec::Digest digest;
  bool is_hole = false;  // nothing but zeros
};

// A regular file that is not empty. Entries of other kinds, and attributes, are in the tar-split too, and
// taken from there.
struct TocFile {
  std::string name;  // as in the tar
  std::uint64_t size = 0;
  spec::Digest digest;
  std::vector<TocChunk> chunks;  // one or more, the sum of their sizes is `size`
};

// Calls `take` with each file, in order. Kind::invalid_input "invalid TOC: ..." for what is not a TOC of
// version 1: malformed, with chunks that are out of order, do not add up, lie about what zstd could unpack
// from so many bytes, or end after `blob_end`. Holds one file at a time. Returns the digest of the tar-split
// (compressed) if it names one.
std::optional<spec::Digest> parse_toc(std::string_view json, std::uint64_t blob_end,
                                      const std::function<void(TocFile&&)>& take);

// The compressed TOC: checked against digest and plain_size. Kind::integrity, Kind::invalid_input.
std::string unpack_toc(std::string_view compressed, const spec::Digest& digest, std::uint64_t plain_size);

// Writes the JSON of a TOC, entry by entry. Entries MUST be in the order of the tar.
class TocWriter {
 public:
  explicit TocWriter(std::string& out);  // not owned; text is appended
  // `file`: of a regular one that is not empty, nullptr for all others. `mode`, `major`, `minor`: as the
  // tar has them, whatever its type. False, and nothing is written, for what a TOC cannot express: names that
  // are not UTF-8, times outside of years 0 to 9999.
  bool add(const archive::TarHeader& header, std::int64_t mode, std::int64_t major, std::int64_t minor,
           const TocFile* file);
  void finish(const spec::Digest& tar_split);

 private:
  std::string& out_;
  bool first_ = true;
};

}  // namespace lade::layer

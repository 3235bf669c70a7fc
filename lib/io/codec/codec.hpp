// Compression formats of layers. Detection is by magic bytes, never by media type.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "io/stream.hpp"

namespace lade::io {

enum class Compression { none, gzip, zstd, xz, bzip2 };

std::string_view name_of(Compression compression);
// nullopt for an unknown name. "zstd:chunked" is not a Compression.
std::optional<Compression> compression_by_name(std::string_view name);
// By the first (at least 6, fewer if the stream is shorter) bytes.
Compression detect_compression(Bytes head);

// Reads the head of `inner`, and returns a Reader that gives all of it again, with what was detected.
// Owns inner.
std::pair<std::unique_ptr<Reader>, Compression> detect(std::unique_ptr<Reader> inner);

// The plain bytes of a compressed stream; gzip and zstd may have several members or frames. Zero bytes after
// the last gzip member are ignored, other trailing bytes are Kind::integrity. Owns inner; memory bounded.
// zstd windows over 128 MiB are refused.
std::unique_ptr<Reader> decompress(std::unique_ptr<Reader> inner, Compression compression);

// libdeflate's that gives no more bytes than Go's compress/gzip at its usual one (0.96 to 0.99 of them for
// programs, libraries, headers, scripts and manuals), in three quarters of the time of level 6.
inline constexpr int usual_gzip_level = 4;

struct CompressOptions {
  Compression format = Compression::gzip;
  std::optional<int> level;  // gzip 1..9 (usual_gzip_level), zstd 1..20 (3 if not given)
  unsigned threads = 0;      // 0: as many as the machine has
};

// options.level, or the format's usual one. Kind::invalid_input for a level out of range, and for formats
// that are not written.
int compression_level(const CompressOptions& options);

// The compressed bytes of a plain stream. The result depends on input, format and level only, never on the
// number of threads or on the machine. gzip is multi-member (1 MiB of input a member). Owns inner.
// Kind::invalid_input for a level out of range, Kind::unsupported for xz and bzip2.
std::unique_ptr<Reader> compress(std::unique_ptr<Reader> inner, const CompressOptions& options);

}  // namespace lade::io

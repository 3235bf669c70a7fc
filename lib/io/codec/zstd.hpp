// Zstandard (RFC 8878) on libzstd.
#pragma once

#include <memory>

#include "io/stream.hpp"

namespace lade::io {

// Any number of frames, skippable ones too; windows up to 128 MiB.
std::unique_ptr<Reader> make_zstd_reader(std::unique_ptr<Reader> inner);

// One frame with a checksum. level 1..20, threads > 0; the bytes do not depend on the number of threads.
std::unique_ptr<Reader> make_zstd_compressor(std::unique_ptr<Reader> inner, int level, unsigned threads);

}  // namespace lade::io

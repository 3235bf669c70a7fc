// Multi-member gzip: every MiB of input becomes a member of its own, compressed by whichever thread is free.
#pragma once

#include <memory>

#include "io/stream.hpp"

namespace lade::io {

// level 1..9, threads > 0. Memory: about 1.5 MiB a thread. Input of one member or less starts no thread.
std::unique_ptr<Reader> make_gzip_compressor(std::unique_ptr<Reader> inner, int level, unsigned threads);

}  // namespace lade::io

// Multi-member gzip: every MiB of input becomes a member of its own, compressed by whichever thread is free.
#pragma once

#include <memory>

#include "io/stream.hpp"

namespace lade::io {

// level 1..9, threads > 0. Memory: about 1.5 MiB a thread. Input of one member or less starts no thread.
std::unique_ptr<Reader> make_gzip_compressor(std::unique_ptr<Reader> inner, int level, unsigned threads);

// The same, pushed: compresses in the calling thread and writes whole members to `out` (not owned).
class GzipWriter final : public Writer {
 public:
  // level 1..9.
  GzipWriter(Writer& out, int level);
  ~GzipWriter() override;
  void write(Bytes data) override;
  // Writes what is left; a stream that was empty becomes one empty member. Without it the end is missing.
  void finish();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace lade::io

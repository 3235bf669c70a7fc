// The tar of a zstd:chunked layer, put together of its tar-split, local files and parts of its blob.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "io/stream.hpp"
#include "layer/chunked_plan.hpp"

namespace lade::layer {

// Compressed with zstd, its digest checked.
struct PackedTarSplit {
  std::string bytes;
  std::uint64_t plain_size = 0;  // more is refused
};

// Every piece is checked against its digest, and every file against its own: Kind::integrity. All the rest,
// attributes and names, comes from the tar-split: whoever reads compares size and digest of the tar.
class ChunkedReader final : public io::Reader {
 public:
  // The content of a local file from the offset on.
  using OpenLocal = std::function<std::unique_ptr<io::Reader>(const LocalContent&)>;

  // `blob`: the bytes of plan.ranges, one after the other.
  ChunkedReader(PackedTarSplit tar_split, PullPlan plan, std::unique_ptr<io::Reader> blob,
                OpenLocal open_local);
  ~ChunkedReader() override;
  // Kind::integrity also where tar-split and TOC do not have the same files.
  std::size_t read(io::Buffer buffer) override;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace lade::layer

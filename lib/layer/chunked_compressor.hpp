// Makes a zstd:chunked blob (chunked_toc.hpp) of a tar, as a stream and in one pass.
#pragma once

#include <memory>
#include <optional>

#include "io/stream.hpp"
#include "spec/descriptor.hpp"

namespace lade::layer {

// Compresses as it is read. The bytes depend on the tar and the level alone. Memory: the compressed TOC and
// tar-split, some bytes a file.
//
// A tar that partial pulls could not use becomes frames without a TOC: names that are not UTF-8 or occur
// twice (containers/storage refuses the image otherwise), members whose directory does not come before them,
// sparse files, types that Go does not know, a TOC larger than max_toc_size.
class ChunkedCompressor final : public io::Reader {
 public:
  // level 1..20. Kind::invalid_input from read() for what is no tar.
  ChunkedCompressor(std::unique_ptr<io::Reader> tar, int level);
  ~ChunkedCompressor() override;
  std::size_t read(io::Buffer buffer) override;

  // Of the layer's descriptor; after the end was read. Empty if there is no TOC.
  const spec::Annotations& annotations() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace lade::layer

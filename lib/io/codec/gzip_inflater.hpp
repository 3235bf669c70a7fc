// The deflate data and trailer of gzip members (RFC 1952), without their headers. Two implementations that
// must agree on every input: ISA-L for speed, zlib as the fallback and as the oracle of the tests.
#pragma once

#include <memory>

#include "io/stream.hpp"

namespace lade::io {

class GzipInflater {
 public:
  struct Step {
    std::size_t consumed = 0;
    std::size_t produced = 0;
    bool done = false;  // the trailer was read and is right
  };

  virtual ~GzipInflater() = default;
  // Ready for a new member, the header of which has been taken off.
  virtual void reset() = 0;
  // Goes on until one side is exhausted or the member ends. Kind::integrity for broken data, a wrong
  // checksum or a wrong length.
  virtual Step process(Bytes input, Buffer output) = 0;
};

std::unique_ptr<GzipInflater> make_zlib_inflater();
// nullptr where this program was built without ISA-L.
std::unique_ptr<GzipInflater> make_isal_inflater();

// A Reader of a whole gzip stream on the given inflater.
std::unique_ptr<Reader> make_gzip_reader(std::unique_ptr<Reader> inner,
                                         std::unique_ptr<GzipInflater> inflater);

}  // namespace lade::io

// bzip2 on libbz2.
#pragma once

#include <memory>

#include "io/stream.hpp"

namespace lade::io {

// Any number of streams, one after the other.
std::unique_ptr<Reader> make_bzip2_reader(std::unique_ptr<Reader> inner);

}  // namespace lade::io

// xz (the .xz file format, version 1.1.0) on liblzma.
#pragma once

#include <memory>

#include "io/stream.hpp"

namespace lade::io {

// Any number of streams and their padding; dictionaries up to 128 MiB.
std::unique_ptr<Reader> make_xz_reader(std::unique_ptr<Reader> inner);

}  // namespace lade::io

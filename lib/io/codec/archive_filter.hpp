// The compression formats that libarchive decodes for us.
#pragma once

#include <memory>

#include "io/codec/codec.hpp"

namespace lade::io {

// compression is xz or bzip2.
std::unique_ptr<Reader> make_archive_filter_reader(std::unique_ptr<Reader> inner, Compression compression);

}  // namespace lade::io

// A SIF file as an image of one layer. Internal to sif/.
#pragma once

#include <memory>
#include <string>

#include "transport/options.hpp"
#include "transport/transport.hpp"

namespace lade::transport::sif {

// Unpacks the root file system once, into a file without a name in options.big_files_dir.
std::unique_ptr<ImageSource> open_source(const Context& context, const std::string& path,
                                         const Options& options);

}  // namespace lade::transport::sif

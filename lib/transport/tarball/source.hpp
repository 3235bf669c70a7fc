// Internal to tarball/.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "transport/options.hpp"
#include "transport/tarball/tarball.hpp"
#include "transport/transport.hpp"

namespace lade::transport::tarball {

inline constexpr std::string_view standard_input = "-";

// Reads every file once to learn its digests. Standard input waits in options.big_files_dir.
std::unique_ptr<ImageSource> open_source(const Context& context, const std::vector<std::string>& files,
                                         const TarballConfig& config, const Options& options);

}  // namespace lade::transport::tarball

// Internal to oci_archive/.
#pragma once

#include <memory>
#include <string>

#include "transport/oci/layout_name.hpp"
#include "transport/options.hpp"
#include "transport/transport.hpp"

namespace lade::transport::oci_archive {

// name.path is the file; nothing is unpacked.
std::unique_ptr<ImageSource> open_source(const Context& context, const oci::LayoutName& name,
                                         const Options& options);
// Blobs go into the archive as they come, index.json and oci-layout last; the same blobs in the same order
// give the same bytes.
std::unique_ptr<ImageDestination> open_destination(const oci::LayoutName& name, const Options& options);

}  // namespace lade::transport::oci_archive

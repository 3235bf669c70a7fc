// oci-archive:PATH[:NAME] - an OCI image layout in a tar file.
#pragma once

#include "transport/transport.hpp"

namespace lade::transport {

const Transport& oci_archive_transport();

}  // namespace lade::transport

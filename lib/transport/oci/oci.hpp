// oci:PATH[:NAME | :@INDEX] - an OCI image layout (image-spec, image-layout.md).
#pragma once

#include "transport/transport.hpp"

namespace lade::transport {

const Transport& oci_transport();

}  // namespace lade::transport

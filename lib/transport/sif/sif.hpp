// sif:PATH - a Singularity image file, to read from.
#pragma once

#include "transport/transport.hpp"

namespace lade::transport {

const Transport& sif_transport();

}  // namespace lade::transport

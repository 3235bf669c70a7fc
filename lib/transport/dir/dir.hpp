// dir:PATH - one image or list as plain files in a directory.
#pragma once

#include "transport/transport.hpp"

namespace lade::transport {

const Transport& dir_transport();

}  // namespace lade::transport

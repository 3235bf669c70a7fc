// tarball:FILE[:FILE...] - an image made of tar files, one a layer, bottom first; "-" is standard input.
#pragma once

#include "transport/transport.hpp"

namespace lade::transport {

const Transport& tarball_transport();

}  // namespace lade::transport

// What connections need to know of the process they are made in.
#pragma once

#include "registry/http.hpp"

namespace lade::config {
struct Environment;
}

namespace lade::registry {

// With the proxies and the authorities that the environment names.
PoolOptions pool_options_of(const config::Environment& environment);

}  // namespace lade::registry

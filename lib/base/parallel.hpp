// Bounded parallelism: the first failure cancels the rest.
#pragma once

#include <cstddef>
#include <functional>

#include "base/context.hpp"

namespace lade {

// Calls fn(context, i) once for every i in [0, count), at most `limit` at a time; the calling thread helps.
// The context handed to fn stops when the caller's stops or when any call has thrown. Returns when all calls
// that began have ended; then rethrows the first exception (a Cancelled only if nothing else was thrown).
void parallel_for(const Context& context, std::size_t count, std::size_t limit,
                  const std::function<void(const Context&, std::size_t)>& fn);

}  // namespace lade

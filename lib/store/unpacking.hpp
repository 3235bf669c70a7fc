// Layers on their way into the store. Internal to store/.
#pragma once

#include <memory>

#include "io/stream.hpp"
#include "store/store_impl.hpp"

namespace lade::store {

// Gives the layer its directory, for drivers whose layers do not stand alone. `parent_files`: the parent's
// directory, "" for none. Nothing to do if it has one.
void unpack_on_parent(const Context& context, const Store::Impl& store, PendingLayer& pending,
                      const Path& parent_files);

// Its tar, byte for byte.
std::unique_ptr<io::Reader> open_pending(const PendingLayer& pending);

}  // namespace lade::store

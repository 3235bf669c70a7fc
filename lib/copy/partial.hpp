// Layers of which only parts are fetched.
#pragma once

#include "copy/session.hpp"

namespace lade::copy {

// nullopt: the blob has to be copied whole. `transfer` counts the bytes that are fetched.
std::optional<CopiedBlob> put_parts(Session& session, const Context& context, const spec::Descriptor& layer,
                                    const LayerWish& wish, Transfer& transfer);

}  // namespace lade::copy

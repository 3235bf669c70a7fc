// Copies a list (Docker manifest list, OCI index) and all or some of its instances.
#pragma once

#include "copy/session.hpp"

namespace lade::copy {

// Returns the list as it was written. Lists within lists are copied too, a few levels deep.
spec::RawManifest copy_list(Session& session, const Context& context, const spec::RawManifest& list,
                            bool as_instance, int depth = 0);

}  // namespace lade::copy

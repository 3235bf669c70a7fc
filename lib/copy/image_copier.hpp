// Copies one image of one platform: layers, config, manifest, signatures.
#pragma once

#include "copy/session.hpp"

namespace lade::copy {

// With its signatures, which forbid any change. `as_instance`: it is written as part of a list, under its own
// (new) digest. Returns the manifest as it was written.
spec::RawManifest copy_single(Session& session, const Context& context, const spec::RawManifest& manifest,
                              bool as_instance);

}  // namespace lade::copy

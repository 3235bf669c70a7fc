// Copies what refers to a manifest: signatures, SBOMs, attestations.
#pragma once

#include "copy/session.hpp"

namespace lade::copy {

// For each manifest written so far: everything the source says refers to it, and what refers to that, a few
// levels deep. Referrers with a tag of their own (cosign's) keep it where the destination can; the others are
// stored by digest. Kind::unsupported if the source or the destination has no way to tell, and if a manifest
// that something refers to has changed on its way.
void copy_referrers(Session& session, const Context& context);

}  // namespace lade::copy

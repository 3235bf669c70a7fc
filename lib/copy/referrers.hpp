// Copies what refers to a manifest: signatures, SBOMs, attestations.
#pragma once

#include <vector>

#include "copy/session.hpp"

namespace lade::copy {

// For each digest: everything the source says refers to it, and what refers to that, a few levels deep.
// Referrers with a tag of their own (cosign's) keep it where the destination can; the others are stored by
// digest. Kind::unsupported if the source or the destination has no way to tell.
void copy_referrers(Session& session, const Context& context, const std::vector<spec::Digest>& subjects);

}  // namespace lade::copy

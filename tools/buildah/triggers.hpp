// ONBUILD: instructions of an image for what is built on it.
#pragma once

#include "buildah/working.hpp"

namespace lade::buildah {

// Runs those that the container has, each shown on standard error unless --quiet; afterwards it has none.
// Unknown ones are logged and skipped.
// Sources of COPY and ADD are in the current directory.
void run_triggers(WorkSession& session, build::Builder& builder);

}  // namespace lade::buildah

// Which manifest types to try at the destination, in which order.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "copy/session.hpp"

namespace lade::copy {

// Candidates for an image of type `original`, best first; never empty. With a reason against changes only the
// original remains. Kind::invalid_input when none is possible.
std::vector<std::string> manifest_types_for(const Session& session, std::string_view original);

// The type for a list. Kind::invalid_input
// `Manifest list must be converted to type "T" to be written to destination, but we cannot modify it: R`.
std::string list_type_for(const Session& session, std::string_view original);

}  // namespace lade::copy

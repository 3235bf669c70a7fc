// Options that copy and sync have in common.
#pragma once

#include <vector>

#include "common/arguments.hpp"
#include "common/option.hpp"
#include "copy/copy.hpp"

namespace lade::skopeo {

// Which instances of a list, which manifest type, what comes along.
std::vector<common::Option> manifest_options();
// Kind::invalid_input for values that do not exist or contradict each other.
void read_manifest_options(const common::Flags& flags, copy::CopyOptions& options);

}  // namespace lade::skopeo

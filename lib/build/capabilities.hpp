// Names of capabilities, as container tools take them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace lade::build {

// All that this kernel's interface knows, as "CAP_CHOWN", in the order of their numbers.
const std::vector<std::string>& all_capabilities();

// Those that this process may pass on (its bounding set).
std::vector<std::string> own_capabilities();

// "chown", "CAP_CHOWN" -> "CAP_CHOWN". Kind::invalid_input `"X": unknown capability`.
std::string capability_named(std::string_view name);

// `base` with what is added and without what is dropped, sorted; "all" is one of the words.
// Kind::invalid_input for a capability that is both.
std::vector<std::string> merge_capabilities(const std::vector<std::string>& base,
                                            const std::vector<std::string>& added,
                                            const std::vector<std::string>& dropped);

}  // namespace lade::build

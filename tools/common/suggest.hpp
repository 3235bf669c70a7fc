// What a person may have meant.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace lade::common {

// Number of insertions, deletions, replacements and swaps of neighbours; case does not count.
std::size_t edit_distance(std::string_view a, std::string_view b);

// Those candidates that begin with `typed` or are at most `limit` edits away, nearest first.
std::vector<std::string> suggestions(std::string_view typed, std::span<const std::string> candidates,
                                     std::size_t limit = 2);

}  // namespace lade::common

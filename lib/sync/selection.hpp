// Which tags of a repository are meant.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace lade::sync {

using TagFilter = std::function<bool(std::string_view tag)>;

// A regular expression of RE2, found anywhere in the tag, as Go's regexp.MatchString. Kind::invalid_input
// "error parsing regexp: ...".
TagFilter matching_regex(const std::string& pattern);
// Tags that are versions within the constraint (sync/semver.hpp). Kind::invalid_input "improper constraint:
// X".
TagFilter matching_versions(const std::string& constraint);

struct TagSelection {
  std::vector<std::string> include, exclude;  // globs of fnmatch(3); no `include`: all
  std::string regex, semver;                  // "": all
};

// A tag passes if it passes each of them.
TagFilter make_tag_filter(const TagSelection& selection);

}  // namespace lade::sync

#include "sync/selection.hpp"

#include <fnmatch.h>
#include <re2/re2.h>

#include <algorithm>

#include "base/error.hpp"
#include "sync/semver.hpp"

namespace lade::sync {
namespace {

TagFilter matching_globs(std::vector<std::string> globs) {
  return [globs = std::move(globs)](std::string_view tag) {
    const std::string text(tag);
    return std::any_of(globs.begin(), globs.end(),
                       [&](const std::string& glob) { return fnmatch(glob.c_str(), text.c_str(), 0) == 0; });
  };
}

}  // namespace

TagFilter matching_regex(const std::string& pattern) {
  RE2::Options options;
  options.set_log_errors(false);
  const auto regex = std::make_shared<const RE2>(pattern, options);
  if (!regex->ok())
    throw Error(Kind::invalid_input, "error parsing regexp: " + regex->error() + ": `" + pattern + "`");
  return [regex](std::string_view tag) {
    return RE2::PartialMatch(re2::StringPiece(tag.data(), tag.size()), *regex);
  };
}

TagFilter matching_versions(const std::string& constraint) {
  return [constraint = VersionConstraint::parse(constraint)](std::string_view tag) {
    const auto version = SemanticVersion::parse(tag);
    return version && constraint.admits(*version);
  };
}

TagFilter make_tag_filter(const TagSelection& selection) {
  std::vector<TagFilter> filters;
  if (!selection.include.empty()) filters.push_back(matching_globs(selection.include));
  if (!selection.exclude.empty())
    filters.push_back(
        [excluded = matching_globs(selection.exclude)](std::string_view tag) { return !excluded(tag); });
  if (!selection.regex.empty()) filters.push_back(matching_regex(selection.regex));
  if (!selection.semver.empty()) filters.push_back(matching_versions(selection.semver));
  return [filters = std::move(filters)](std::string_view tag) {
    return std::all_of(filters.begin(), filters.end(), [&](const TagFilter& filter) { return filter(tag); });
  };
}

}  // namespace lade::sync

#include "sync/semver.hpp"

#include <algorithm>

#include "base/error.hpp"
#include "registry/text.hpp"

namespace lade::sync {
namespace {

constexpr std::string_view blanks = " \t";

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

bool is_identifier(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-';
  });
}

std::vector<std::string_view> split(std::string_view text, std::string_view separator) {
  std::vector<std::string_view> parts;
  for (;;) {
    const std::size_t at = text.find(separator);
    parts.push_back(text.substr(0, at));
    if (at == std::string_view::npos) return parts;
    text.remove_prefix(at + separator.size());
  }
}

std::string_view trim(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(blanks);
  if (begin == std::string_view::npos) return "";
  return text.substr(begin, text.find_last_not_of(blanks) - begin + 1);
}

// Takes what follows `mark` off the end of `text`; nullopt if the mark is not there.
std::optional<std::string_view> take_tail(std::string_view& text, char mark) {
  const std::size_t at = text.find(mark);
  if (at == std::string_view::npos) return std::nullopt;
  const std::string_view tail = text.substr(at + 1);
  text = text.substr(0, at);
  return tail;
}

// A version some of whose parts may be left open.
struct PartialVersion {
  SemanticVersion version;
  int parts = 0;  // how many of major, minor and patch are given

  SemanticVersion next() const {  // the first version after all that are meant
    SemanticVersion next{version.major, version.minor, version.patch, {}};
    if (parts == 1) return {next.major + 1, 0, 0, {}};
    if (parts == 2) return {next.major, next.minor + 1, 0, {}};
    return {next.major, next.minor, next.patch + 1, {}};
  }
};

bool is_wildcard(std::string_view part) {
  return part == "x" || part == "X" || part == "*";
}

std::optional<std::vector<std::string>> parse_identifiers(std::string_view text) {
  std::vector<std::string> identifiers;
  for (const std::string_view part : split(text, ".")) {
    if (!is_identifier(part)) return std::nullopt;
    identifiers.emplace_back(part);
  }
  return identifiers;
}

std::optional<PartialVersion> parse_partial(std::string_view text, bool wildcards) {
  if (text.starts_with('v')) text.remove_prefix(1);
  PartialVersion result;
  if (const auto metadata = take_tail(text, '+'); metadata && !parse_identifiers(*metadata))
    return std::nullopt;
  if (const auto prerelease = take_tail(text, '-')) {
    auto identifiers = parse_identifiers(*prerelease);
    if (!identifiers) return std::nullopt;
    result.version.prerelease = std::move(*identifiers);
  }
  const auto parts = split(text, ".");
  if (parts.size() > 3) return std::nullopt;
  std::uint64_t* const numbers[] = {&result.version.major, &result.version.minor, &result.version.patch};
  bool open = false;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (wildcards && is_wildcard(parts[i])) {
      open = true;
      continue;
    }
    const auto number = registry::parse_number(parts[i]);
    if (!number || open) return std::nullopt;
    *numbers[i] = *number;
    ++result.parts;
  }
  return result;
}

std::weak_ordering compare_identifiers(const std::string& a, const std::string& b) {
  const auto number_a = registry::parse_number(a), number_b = registry::parse_number(b);
  if (number_a && number_b) return *number_a <=> *number_b;
  if (number_a || number_b) return number_a ? std::weak_ordering::less : std::weak_ordering::greater;
  return a.compare(b) <=> 0;
}

// What "^1.2.3" still admits: nothing that changes the leftmost part that is not zero.
SemanticVersion caret_end(const PartialVersion& from) {
  const SemanticVersion& v = from.version;
  if (v.major > 0 || from.parts == 1) return {v.major + 1, 0, 0, {}};
  if (v.minor > 0 || from.parts == 2) return {0, v.minor + 1, 0, {}};
  return {0, 0, v.patch + 1, {}};
}

[[noreturn]] void refuse_constraint(std::string_view text) {
  throw Error(Kind::invalid_input, "improper constraint: " + std::string(text));
}

// "1.2 - 2.3" becomes ">=1.2 <=2.3", and blanks between a comparison and its version go.
std::string normalize(std::string_view text) {
  std::string out;
  std::vector<std::string_view> words;
  for (std::string_view rest = text;;) {
    const std::size_t begin = rest.find_first_not_of(" \t,");
    if (begin == std::string_view::npos) break;
    rest.remove_prefix(begin);
    const std::size_t end = std::min(rest.find_first_of(" \t,"), rest.size());
    words.push_back(rest.substr(0, end));
    rest.remove_prefix(end);
  }
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (!out.empty()) out += ' ';
    if (i + 2 < words.size() && words[i + 1] == "-") {
      out.append(">=").append(words[i]).append(" <=").append(words[i + 2]);
      i += 2;
      continue;
    }
    out += words[i];
    const bool comparison_alone = words[i].find_first_not_of("=!<>~^") == std::string_view::npos;
    if (comparison_alone && i + 1 < words.size()) out += words[++i];
  }
  return out;
}

}  // namespace

std::optional<SemanticVersion> SemanticVersion::parse(std::string_view text) {
  auto partial = parse_partial(text, false);
  if (!partial) return std::nullopt;
  return std::move(partial->version);
}

std::weak_ordering SemanticVersion::operator<=>(const SemanticVersion& other) const {
  if (const auto order = major <=> other.major; order != 0) return order;
  if (const auto order = minor <=> other.minor; order != 0) return order;
  if (const auto order = patch <=> other.patch; order != 0) return order;
  if (prerelease.empty() || other.prerelease.empty()) return prerelease.empty() <=> other.prerelease.empty();
  return std::lexicographical_compare_three_way(prerelease.begin(), prerelease.end(),
                                                other.prerelease.begin(), other.prerelease.end(),
                                                compare_identifiers);
}

VersionConstraint::Condition VersionConstraint::condition(std::string_view comparison,
                                                          std::string_view text) {
  const auto partial = parse_partial(text, true);
  if (!partial) refuse_constraint(std::string(comparison) + std::string(text));
  const SemanticVersion& version = partial->version;
  Condition result;
  result.names_prerelease = !version.prerelease.empty();
  if (partial->parts == 0) {  // "*": everything, and with > or < or != nothing
    result.negated = comparison == ">" || comparison == "<" || comparison == "!=";
    return result;
  }
  const bool whole = partial->parts == 3;
  if (comparison.empty() || comparison == "=" || comparison == "!=") {
    result.at_least = version;
    if (whole)
      result.at_most = version;
    else
      result.below = partial->next();
    result.negated = comparison == "!=";
  } else if (comparison == ">") {
    if (whole)
      result.above = version;
    else
      result.at_least = partial->next();
  } else if (comparison == ">=" || comparison == "=>") {
    result.at_least = version;
  } else if (comparison == "<") {
    result.below = version;
  } else if (comparison == "<=" || comparison == "=<") {
    if (whole)
      result.at_most = version;
    else
      result.below = partial->next();
  } else if (comparison == "~" || comparison == "~>") {
    result.at_least = version;
    PartialVersion upper = *partial;
    upper.parts = std::min(upper.parts, 2);
    result.below = upper.next();
  } else if (comparison == "^") {
    result.at_least = version;
    result.below = caret_end(*partial);
  } else {
    refuse_constraint(std::string(comparison) + std::string(text));
  }
  return result;
}

VersionConstraint::Condition VersionConstraint::parse_condition(std::string_view text) {
  const std::size_t at = text.find_first_not_of("=!<>~^");
  if (at == std::string_view::npos) refuse_constraint(text);
  return condition(text.substr(0, at), text.substr(at));
}

VersionConstraint VersionConstraint::parse(std::string_view text) {
  VersionConstraint result;
  for (const std::string_view alternative : split(text, "||")) {
    const std::string conditions = normalize(trim(alternative));
    if (conditions.empty()) refuse_constraint(text);
    std::vector<Condition> parsed;
    for (const std::string_view one : split(conditions, " ")) parsed.push_back(parse_condition(one));
    result.alternatives_.push_back(std::move(parsed));
  }
  return result;
}

bool VersionConstraint::Condition::admits(const SemanticVersion& version) const {
  if (!version.prerelease.empty() && !names_prerelease) return false;
  const bool inside = (!at_least || version >= *at_least) && (!above || version > *above) &&
                      (!at_most || version <= *at_most) && (!below || version < *below);
  return inside != negated;
}

bool VersionConstraint::admits(const SemanticVersion& version) const {
  return std::any_of(alternatives_.begin(), alternatives_.end(), [&](const auto& conditions) {
    return std::all_of(conditions.begin(), conditions.end(),
                       [&](const Condition& condition) { return condition.admits(version); });
  });
}

}  // namespace lade::sync

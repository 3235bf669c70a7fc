// Semantic versions and constraints on them, as the Go library Masterminds/semver reads them: tags such as
// "v1.2" are versions, and "^1.2 || >= 2.0, < 3" is a constraint.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace lade::sync {

struct SemanticVersion {
  std::uint64_t major = 0, minor = 0, patch = 0;
  std::vector<std::string> prerelease;  // its identifiers; empty for a release

  // One to three numbers, maybe after "v", maybe with -prerelease and +metadata; nullopt for anything else.
  static std::optional<SemanticVersion> parse(std::string_view text);

  // The precedence of semver.org, item 11.
  std::weak_ordering operator<=>(const SemanticVersion& other) const;
  bool operator==(const SemanticVersion& other) const { return (*this <=> other) == 0; }
};

class VersionConstraint {
 public:
  // Alternatives are separated by "||", conditions that must all hold by commas or spaces. A condition is
  // = != > >= => < <= =< ~ ~> ^ or nothing before a version whose parts may be x, X or *, or a range "1.2
  // - 2.3". Kind::invalid_input "improper constraint: X".
  static VersionConstraint parse(std::string_view text);

  // A prerelease fulfils only conditions that name one.
  bool admits(const SemanticVersion& version) const;

 private:
  // Bounds of one condition.
  struct Condition {
    std::optional<SemanticVersion> at_least, above, at_most, below;
    bool negated = false;  // != : outside of the bounds
    bool names_prerelease = false;

    bool admits(const SemanticVersion& version) const;
  };
  static Condition parse_condition(std::string_view text);
  static Condition condition(std::string_view comparison, std::string_view version);

  std::vector<std::vector<Condition>> alternatives_;
};

}  // namespace lade::sync

// Patterns of .containerignore and --exclude files, and names with wildcards (moby's patternmatcher, Go's
// filepath.Match).
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace lade::build {

// '*' and '?' are any characters but '/', "**" any at all, "[a-z]" and "[^a-z]" one of some; '\' takes the
// meaning from the next one. Takes time linear in each of both lengths.
bool matches_pattern(std::string_view pattern, std::string_view name);
bool has_wildcards(std::string_view text);

// Which paths are left out. Later patterns win; "!" takes back what earlier ones left out.
class ExcludePatterns {
 public:
  ExcludePatterns() = default;
  explicit ExcludePatterns(const std::vector<std::string>& patterns);

  bool empty() const { return patterns_.empty(); }
  // `path` is relative to what the patterns are about, without "." and "..". A directory that is left out
  // takes along what is in it.
  bool excludes(std::string_view path) const;
  // Whether something below the directory `path`, which is left out, may be taken back: only by a pattern
  // that begins with this path, without wildcards in it.
  bool may_include_below(std::string_view path) const;

 private:
  struct Pattern {
    std::string text;  // cleaned, without "!"
    std::size_t depth = 0;
    bool included = false;
  };
  std::vector<Pattern> patterns_;
};

// Lines of an ignore file: comments and blank ones are not there.
std::vector<std::string> parse_ignore_file(std::string_view text);

}  // namespace lade::build

#include "build/patterns.hpp"

#include <algorithm>
#include <filesystem>

#include "base/error.hpp"

namespace lade::build {

namespace {

// One element of a pattern.
struct Piece {
  enum class Type { literal, any_character, any_text, any_path, one_of } type = Type::literal;
  char character = 0;
  std::string_view set = {};  // between the brackets
};

std::vector<Piece> pieces_of(std::string_view pattern) {
  std::vector<Piece> result;
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    const char c = pattern[i];
    if (c == '\\' && i + 1 < pattern.size()) {
      result.push_back({Piece::Type::literal, pattern[++i]});
    } else if (c == '?') {
      result.push_back({Piece::Type::any_character});
    } else if (c == '*') {
      const bool twice = i + 1 < pattern.size() && pattern[i + 1] == '*';
      if (twice) ++i;
      // "**/x" is "x" as well.
      if (twice && i + 1 < pattern.size() && pattern[i + 1] == '/') ++i;
      result.push_back({twice ? Piece::Type::any_path : Piece::Type::any_text});
    } else if (c == '[') {
      const std::size_t end = pattern.find(']', i + 2);
      if (end == std::string_view::npos) throw Error(Kind::invalid_input, "syntax error in pattern");
      result.push_back({Piece::Type::one_of, 0, pattern.substr(i + 1, end - i - 1)});
      i = end;
    } else {
      result.push_back({Piece::Type::literal, c});
    }
  }
  return result;
}

bool is_in_set(std::string_view set, char c) {
  const bool negated = set.starts_with('^');
  if (negated) set.remove_prefix(1);
  bool found = false;
  for (std::size_t i = 0; i < set.size(); ++i) {
    if (set[i] == '\\' && i + 1 < set.size()) ++i;
    if (i + 2 < set.size() && set[i + 1] == '-') {
      found |= set[i] <= c && c <= set[i + 2];
      i += 2;
    } else {
      found |= set[i] == c;
    }
  }
  return found != negated;
}

bool takes(const Piece& piece, char c) {
  switch (piece.type) {
    case Piece::Type::literal: return piece.character == c;
    case Piece::Type::any_character:
    case Piece::Type::any_text: return c != '/';
    case Piece::Type::any_path: return true;
    case Piece::Type::one_of: return c != '/' && is_in_set(piece.set, c);
  }
  return false;
}

bool repeats(const Piece& piece) {
  return piece.type == Piece::Type::any_text || piece.type == Piece::Type::any_path;
}

std::size_t depth_of(std::string_view path) {
  return static_cast<std::size_t>(std::ranges::count(path, '/')) + 1;
}

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view blanks = " \t\r\n";
  const auto begin = text.find_first_not_of(blanks);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(blanks) - begin + 1);
}

std::string cleaned_pattern(std::string_view text) {
  std::string result = std::filesystem::path(text).lexically_normal().string();
  while (result.size() > 1 && result.ends_with('/')) result.pop_back();
  if (result.size() > 1 && result.starts_with('/')) result.erase(0, 1);
  return result;
}

// The first `depth` components.
std::string_view first_components(std::string_view path, std::size_t depth) {
  std::size_t end = 0;
  for (; depth > 0; --depth) {
    end = path.find('/', end == 0 ? 0 : end + 1);
    if (end == std::string_view::npos) return path;
  }
  return path.substr(0, end);
}

}  // namespace

bool has_wildcards(std::string_view text) {
  return text.find_first_of("*?[\\") != std::string_view::npos;
}

bool matches_pattern(std::string_view pattern, std::string_view name) {
  const auto pieces = pieces_of(pattern);
  // reached[i]: the first i pieces match what was read.
  std::vector<bool> reached(pieces.size() + 1, false);
  reached[0] = true;
  const auto skip_empty = [&] {
    for (std::size_t i = 0; i < pieces.size(); ++i)
      if (reached[i] && repeats(pieces[i])) reached[i + 1] = true;
  };
  skip_empty();
  for (const char c : name) {
    std::vector<bool> next(pieces.size() + 1, false);
    for (std::size_t i = 0; i < pieces.size(); ++i) {
      if (!reached[i] || !takes(pieces[i], c)) continue;
      next[repeats(pieces[i]) ? i : i + 1] = true;
    }
    reached = std::move(next);
    skip_empty();
  }
  return reached.back();
}

ExcludePatterns::ExcludePatterns(const std::vector<std::string>& patterns) {
  for (const auto& text : patterns) {
    std::string_view pattern = trimmed(text);
    if (pattern.empty()) continue;
    const bool included = pattern.starts_with('!');
    if (included) pattern = trimmed(pattern.substr(1));
    if (included && pattern.empty()) throw Error(Kind::invalid_input, "illegal exclusion pattern: \"!\"");
    Pattern entry{cleaned_pattern(pattern), 0, included};
    entry.depth = depth_of(entry.text);
    (void)matches_pattern(entry.text, "");
    patterns_.push_back(std::move(entry));
  }
}

bool ExcludePatterns::excludes(std::string_view path) const {
  bool excluded = false;
  const std::size_t depth = depth_of(path);
  for (const Pattern& pattern : patterns_) {
    if (pattern.included != excluded) continue;
    bool matched = matches_pattern(pattern.text, path);
    // What is in a directory that matches.
    if (!matched && pattern.depth < depth)
      matched = matches_pattern(pattern.text, first_components(path, pattern.depth));
    if (!matched && pattern.text.find("**") != std::string::npos)
      for (std::size_t part = 1; part < depth && !matched; ++part)
        matched = matches_pattern(pattern.text, first_components(path, part));
    if (matched) excluded = !pattern.included;
  }
  return excluded;
}

bool ExcludePatterns::may_include_below(std::string_view path) const {
  return std::ranges::any_of(patterns_, [&](const Pattern& pattern) {
    // The text itself, wildcards and all: so do the peers.
    return pattern.included && pattern.text.size() > path.size() && pattern.text.starts_with(path) &&
           pattern.text[path.size()] == '/';
  });
}

std::vector<std::string> parse_ignore_file(std::string_view text) {
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  std::vector<std::string> result;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    const std::string_view line = text.substr(begin, end - begin);
    begin = end + 1;
    if (line.starts_with('#')) continue;
    if (const auto pattern = trimmed(line); !pattern.empty()) result.emplace_back(pattern);
  }
  return result;
}

}  // namespace lade::build

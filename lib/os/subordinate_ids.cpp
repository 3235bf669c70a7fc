#include "os/subordinate_ids.hpp"

#include <algorithm>
#include <charconv>
#include <optional>

#include "base/error.hpp"

namespace lade::os {

namespace {

// user_namespaces(7): a map has at most 340 lines, and one is for the user's own ID.
constexpr std::size_t max_ranges = 339;
constexpr std::uint32_t no_id = UINT32_MAX;

std::string_view next_part(std::string_view& text, char separator) {
  const auto end = std::min(text.find(separator), text.size());
  const auto part = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return part;
}

std::optional<std::uint32_t> decimal(std::string_view text) {
  std::uint32_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const bool whole = error == std::errc() && end == text.data() + text.size();
  return whole ? std::optional(number) : std::nullopt;
}

[[noreturn]] void refuse_line(std::string_view file, std::size_t number, std::string_view why) {
  throw Error(Kind::invalid_input,
              std::string(file) + ", line " + std::to_string(number) + ": " + std::string(why));
}

void add_range(std::string_view first_text, std::string_view count_text, std::string_view file,
               std::size_t line, std::vector<IdRange>& result) {
  const auto first = decimal(first_text), count = decimal(count_text);
  if (!first || !count) refuse_line(file, line, "a range is two decimal numbers, the first ID and how many");
  if (*count == 0 || *count > no_id - *first) refuse_line(file, line, "the range holds what are no IDs");
  if (result.size() == max_ranges)
    throw Error(Kind::unsupported,
                std::string(file) + ": more than " + std::to_string(max_ranges) + " ranges for one user");
  result.push_back({*first, *count});
}

}  // namespace

std::vector<IdRange> parse_subordinate_ids(std::string_view text, std::string_view user, uid_t uid,
                                           std::string_view file) {
  std::vector<IdRange> result;
  const std::string number = std::to_string(uid);
  for (std::size_t line = 1; !text.empty(); ++line) {
    std::string_view fields = next_part(text, '\n');
    const auto owner = next_part(fields, ':');
    if (owner.empty() || (owner != user && owner != number)) continue;
    const auto first = next_part(fields, ':');
    add_range(first, fields, file, line, result);
  }
  return result;
}

std::vector<IdRange> parse_getsubids(std::string_view text) {
  std::vector<IdRange> result;
  for (std::size_t line = 1; !text.empty(); ++line) {
    std::string_view words = next_part(text, '\n');
    if (words.empty()) continue;
    next_part(words, ' ');  // "0:"
    next_part(words, ' ');  // whose they are
    const auto first = next_part(words, ' ');
    add_range(first, words, "getsubids", line, result);
  }
  return result;
}

bool has_subid_service(std::string_view nsswitch) {
  constexpr std::string_view key = "subid:", blank = " \t";
  while (!nsswitch.empty()) {
    std::string_view line = next_part(nsswitch, '\n');
    line = next_part(line, '#');
    line.remove_prefix(std::min(line.find_first_not_of(blank), line.size()));
    if (!line.starts_with(key)) continue;
    line.remove_prefix(key.size());
    line.remove_prefix(std::min(line.find_first_not_of(blank), line.size()));
    return next_part(line, ' ') != "files";
  }
  return false;
}

std::vector<IdMapping> map_own_and_ranges(std::uint32_t own, const std::vector<IdRange>& ranges) {
  std::vector<IdMapping> result{{0, own, 1}};
  std::uint32_t inside = 1;
  for (const IdRange& range : ranges) {
    if (range.count > no_id - inside)
      throw Error(Kind::invalid_input, "the ranges of IDs hold more than there are IDs");
    result.push_back({inside, range.first, range.count});
    inside += range.count;
  }
  return result;
}

}  // namespace lade::os

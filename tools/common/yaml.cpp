#include "common/yaml.hpp"

#include <algorithm>
#include <cstdlib>
#include <vector>

#include "common/go_text.hpp"

namespace lade::common {
namespace {

using spec::Json;

constexpr std::size_t yaml_indent = 2;

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

// 12, -1.5e3, 0x1f, and 1:30 of base 60.
bool reads_as_number(std::string_view text) {
  const std::size_t start = text.find_first_not_of("+-.");
  if (start == std::string_view::npos || start > 2 || !is_digit(text[start])) return false;
  const std::string copy(text);
  char* end = nullptr;
  std::strtod(copy.c_str(), &end);
  const std::string_view rest = end;
  return rest.empty() || (rest.front() == ':' && rest.find_first_not_of("0123456789:.") == std::string_view::npos);
}

// 2026-11-21 and what may follow.
bool reads_as_date(std::string_view text) {
  return text.size() >= 8 && std::all_of(text.begin(), text.begin() + 4, is_digit) && text[4] == '-' &&
         is_digit(text[5]) && text.find_first_not_of("0123456789-:.+TtZz ") == std::string_view::npos;
}

// Texts that YAML would read as something else.
bool reads_as_other(std::string_view text) {
  for (const char* word : {"", "~", "null", "Null", "NULL", "true", "True", "TRUE", "false", "False", "FALSE",
                           "yes", "Yes", "YES", "no", "No", "NO", "on", "On", "ON", "off", "Off", "OFF", "y",
                           "Y", "n", "N", ".nan", ".inf"})
    if (text == word) return true;
  return reads_as_number(text) || reads_as_date(text);
}

bool needs_single_quotes(std::string_view text) {
  if (std::string_view("!&*-?[]{}|>@`\"'%,#: ").find(text.front()) != std::string_view::npos) {
    const bool plain_dash = (text.front() == '-' || text.front() == '?' || text.front() == ':') &&
                            text.size() > 1 && text[1] != ' ';
    if (!plain_dash) return true;
  }
  return text.back() == ' ' || text.back() == ':' || text.find(": ") != std::string_view::npos ||
         text.find(" #") != std::string_view::npos;
}

bool has_control_bytes(std::string_view text) {
  return std::any_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

std::string block_text(const std::string& text, std::size_t indent) {
  const std::string margin(indent, ' ');
  std::string result = text.ends_with('\n') ? "|" : "|-";
  std::size_t start = 0;
  while (start < text.size()) {
    const std::size_t end = std::min(text.find('\n', start), text.size());
    result += "\n";
    if (end > start) result.append(margin).append(text, start, end - start);
    start = end + 1;
  }
  return result;
}

std::string yaml_string(const std::string& text, std::size_t indent) {
  if (reads_as_other(text)) return quote(text);
  std::string joined = text;
  std::erase(joined, '\n');
  if (has_control_bytes(joined)) return quote(text);
  if (joined.size() != text.size()) return block_text(text, indent);
  if (!needs_single_quotes(text)) return text;
  std::string doubled;
  for (const char c : text) doubled.append(c == '\'' ? 2 : 1, c);
  return "'" + doubled + "'";
}

void write_yaml(const Json& value, std::size_t indent, std::string& out);

void write_member(const Json& value, std::size_t indent, std::string& out) {
  const bool nested = value.is_structured() && !value.empty();
  out += nested ? "\n" : " ";
  // A list stands below its key without being indented.
  write_yaml(value, value.is_array() ? indent : indent + yaml_indent, out);
}

void write_object(const Json& object, std::size_t indent, std::string& out) {
  std::vector<std::string> names;
  for (const auto& [name, value] : object.items()) names.push_back(name);
  std::sort(names.begin(), names.end());
  bool first = true;
  for (const std::string& name : names) {
    if (!first || (out.size() > 1 && out.ends_with('\n'))) out.append(indent, ' ');
    first = false;
    out += yaml_string(name, 0) + ":";
    write_member(object[name], indent, out);
  }
}

void write_yaml(const Json& value, std::size_t indent, std::string& out) {
  if (value.is_object() && !value.empty()) return write_object(value, indent, out);
  if (value.is_array() && !value.empty()) {
    for (const Json& element : value) {
      out.append(indent, ' ').append("- ");
      write_yaml(element, indent + yaml_indent, out);
    }
    return;
  }
  if (value.is_object()) out += "{}\n";
  if (value.is_array()) out += "[]\n";
  if (value.is_string()) out += yaml_string(value.get<std::string>(), indent) + "\n";
  if (value.is_primitive() && !value.is_string()) out += value.dump() + "\n";
}

}  // namespace

std::string dump_yaml(const Json& value) {
  std::string out;
  write_yaml(value, 0, out);
  return out;
}

}  // namespace lade::common

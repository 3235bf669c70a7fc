#include "common/report.hpp"

#include <algorithm>
#include <vector>

#include "base/error.hpp"
#include "common/go_text.hpp"
#include "common/template/evaluate.hpp"

namespace lade::common {
namespace {

constexpr std::string_view table_prefix = "table ";

struct Replacement {
  std::string_view from, to;
};

std::string replace_all(std::string_view text, const std::vector<Replacement>& replacements) {
  std::string out;
  while (!text.empty()) {
    const auto matches = [&](const Replacement& r) { return text.starts_with(r.from); };
    const auto found = std::find_if(replacements.begin(), replacements.end(), matches);
    if (found == replacements.end()) {
      out += text.front();
      text.remove_prefix(1);
    } else {
      out += found->to;
      text.remove_prefix(found->from.size());
    }
  }
  return out;
}

std::string normalised(std::string_view format) {
  std::vector<Replacement> replacements = {{"\\t", "\t"}, {"\\n", "\n"}};
  if (format.starts_with(table_prefix)) {
    replacements.push_back({table_prefix, ""});
    replacements.push_back({" ", "\t"});
  }
  std::string text = replace_all(format, replacements);
  if (!text.ends_with('\n')) text += '\n';
  return text;
}

bool parses(std::string_view name, const std::string& text) {
  try {
    gotemplate::check(name, text);
    return true;
  } catch (const Error&) {
    return false;
  }
}

std::vector<std::string_view> split(std::string_view text, char at) {
  std::vector<std::string_view> parts;
  for (std::size_t start = 0;;) {
    const std::size_t end = text.find(at, start);
    parts.push_back(text.substr(start, end == std::string_view::npos ? end : end - start));
    if (end == std::string_view::npos) return parts;
    start = end + 1;
  }
}

std::size_t width_of(std::string_view text) {
  std::size_t width = 0;
  for (std::size_t at = 0; at < text.size(); at += decode_utf8(text, at).length) ++width;
  return width;
}

}  // namespace

bool is_json_format(std::string_view format) {
  const std::size_t begin = format.find_first_not_of(" \t\n");
  if (begin == std::string_view::npos) return false;
  return format.substr(begin, format.find_last_not_of(" \t\n") - begin + 1) == "json";
}

std::string render_report(std::string_view name, std::string_view format, const gotemplate::Value& data) {
  // The report package ranges over a list of one; its prefix counts in the columns of messages.
  const auto in_range = [](std::string_view text) { return "{{range .}}" + std::string(text) + "{{end}}"; };
  std::string text = in_range(normalised(format));
  // An escape inside a string literal is the template's, so where unescaping breaks the template it stays.
  if (!parses(name, text)) text = in_range(format);
  const gotemplate::GoType element = data.type();
  const gotemplate::GoType list{gotemplate::Shape::list, "[]interface {}", &element};
  const std::string out =
      gotemplate::render(name, text, gotemplate::Value(spec::Json::array({data.json()}), list));
  return format.starts_with(table_prefix) ? align_columns(out) : out;
}

std::string render_rows(std::string_view name, std::string_view format, const spec::Json& rows,
                        const gotemplate::GoType& element, const spec::Json& headers) {
  const auto in_range = [](std::string_view text) { return "{{range .}}" + std::string(text) + "{{end}}"; };
  std::string text = in_range(normalised(format));
  if (!parses(name, text)) text = in_range(format);
  const gotemplate::GoType list{gotemplate::Shape::list, "[]interface {}", &element};
  const bool is_table = format.starts_with(table_prefix);
  std::string out;
  if (is_table && !headers.empty()) {
    const gotemplate::GoType header_list{gotemplate::Shape::list, "[]interface {}",
                                         &gotemplate::string_map_type};
    out = gotemplate::render(name, text, gotemplate::Value(spec::Json::array({headers}), header_list));
  }
  out += gotemplate::render(name, text, gotemplate::Value(rows, list));
  return is_table ? align_columns(out) : out;
}

std::string align_columns(std::string_view text, std::size_t least, std::size_t gap) {
  const auto lines = split(text, '\n');
  std::vector<std::vector<std::string_view>> rows;
  for (const std::string_view line : lines) rows.push_back(split(line, '\t'));
  // As Go's tabwriter does: a column is a run of neighbouring lines that have a cell there.
  std::vector<std::vector<std::size_t>> widths(rows.size());
  for (std::size_t row = 0; row < rows.size(); ++row) widths[row].resize(rows[row].size());
  const auto has_cell = [&](std::size_t row, std::size_t column) { return column + 1 < rows[row].size(); };
  for (std::size_t row = 0; row < rows.size(); ++row) {
    for (std::size_t column = 0; has_cell(row, column); ++column) {
      if (widths[row][column] != 0) continue;
      std::size_t width = least;
      std::size_t end = row;
      for (; end < rows.size() && has_cell(end, column); ++end) {
        width = std::max(width, width_of(rows[end][column]) + gap);
      }
      for (std::size_t i = row; i < end; ++i) widths[i][column] = width;
    }
  }
  std::string aligned;
  for (std::size_t row = 0; row < rows.size(); ++row) {
    for (std::size_t column = 0; column < rows[row].size(); ++column) {
      aligned += rows[row][column];
      if (has_cell(row, column)) aligned.append(widths[row][column] - width_of(rows[row][column]), ' ');
    }
    if (row + 1 < rows.size()) aligned += '\n';
  }
  return aligned;
}

}  // namespace lade::common

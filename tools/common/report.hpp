// --format as containers' report package understands it.
#pragma once

#include <string>
#include <string_view>

#include "common/template/value.hpp"

namespace lade::common {

// True for "json" and blanks around it: the caller prints its usual JSON.
bool is_json_format(std::string_view format);

// The template `format` applied to `data`, with a newline at the end. `\n` and `\t` are unescaped; a leading
// "table " makes columns of tabs and blanks. `name` is for messages. Kind::invalid_input as
// gotemplate::render.
std::string render_report(std::string_view name, std::string_view format, const gotemplate::Value& data);

// Cells separated by tabs, padded to the widest cell of each column and two blanks, at least 12 wide; the
// last cell of a line is not padded.
std::string align_columns(std::string_view text);

}  // namespace lade::common

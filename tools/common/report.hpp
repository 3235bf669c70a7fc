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

// The template applied to each element of `rows`, a list whose element type is `element`; "table " puts a
// line of `headers` (field -> heading) above them unless `headers` is empty.
std::string render_rows(std::string_view name, std::string_view format, const spec::Json& rows,
                        const gotemplate::GoType& element, const spec::Json& headers);

// Cells separated by tabs, padded to the widest cell of each column and `gap` blanks, at least `least` wide;
// the last cell of a line is not padded.
std::string align_columns(std::string_view text, std::size_t least = 12, std::size_t gap = 2);

}  // namespace lade::common

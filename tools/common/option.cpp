#include "common/option.hpp"

#include <iterator>

namespace lade::common {

std::string shown_value_name(const Option& option) {
  if (!option.value_name.empty()) return option.value_name;
  switch (option.kind) {
    case ValueKind::boolean: return "";
    case ValueKind::text: return "string";
    case ValueKind::integer: return "int";
    case ValueKind::unsigned_integer: return "uint";
    case ValueKind::duration: return "duration";
    case ValueKind::size: return "size";
    case ValueKind::list: return "strings";
    case ValueKind::texts: return "stringArray";
  }
  return "";
}

std::string flag_spelling(const Option& option) {
  const std::string longer = "--" + option.name;
  return option.short_name == 0 ? longer : std::string("-") + option.short_name + ", " + longer;
}

void append(std::vector<Option>& options, std::vector<Option> more) {
  options.insert(options.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
}

}  // namespace lade::common

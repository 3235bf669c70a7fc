#include "common/template/functions.hpp"

#include <fmt/format.h>
#include <locale.h>
#include <wctype.h>

#include <algorithm>
#include <array>
#include <limits>

#include "common/go_text.hpp"

namespace lade::common::gotemplate {
namespace {

using spec::Json;
using Arguments = std::span<const Value>;

constexpr std::size_t max_padding = 10'000;

[[noreturn]] void refuse(std::string message) {
  throw Error(Kind::invalid_input, std::move(message));
}

std::string type_text(const Value& value) {
  return std::string(value.type_name());
}

// The argument as a string, or Go's complaint about it.
std::string text_at(Arguments arguments, std::size_t i) {
  const Value& value = arguments[i];
  if (value.is_string() && value.type_name() == string_type.name) return value.text();
  if (value.shape() == Shape::any) throw ArgumentError("invalid value; expected string", i);
  throw ArgumentError("wrong type for value; expected string; got " + type_text(value), i);
}

std::int64_t integer_at(Arguments arguments, std::size_t i) {
  if (!arguments[i].is_integer()) {
    throw ArgumentError("wrong type for value; expected int; got " + type_text(arguments[i]), i);
  }
  return arguments[i].integer();
}

Value text_value(std::string text) {
  return Value(Json(std::move(text)));
}

// Letters of all scripts, or of ASCII where the system knows no other.
char32_t changed_case(char32_t c, wint_t (*change)(wint_t, locale_t)) {
  static const locale_t locale = [] {
    const locale_t utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr);
    return utf8 != nullptr ? utf8 : newlocale(LC_CTYPE_MASK, "C", nullptr);
  }();
  return static_cast<char32_t>(change(static_cast<wint_t>(c), locale));
}

// `change` is asked for each code point; invalid bytes stay as they are.
template <class Change>
Value changed(Arguments arguments, Change change) {
  const std::string text = text_at(arguments, 0);
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    const auto [c, length] = decode_utf8(text, at);
    const char32_t other = change(c);
    if (other == c) {
      out.append(text, at, length);
    } else {
      append_utf8(out, other);
    }
    at += length;
  }
  return text_value(std::move(out));
}

char32_t to_lower(char32_t c) {
  return changed_case(c, towlower_l);
}
char32_t to_upper(char32_t c) {
  return changed_case(c, towupper_l);
}

Value lower(Arguments arguments) {
  return changed(arguments, to_lower);
}
Value upper(Arguments arguments) {
  return changed(arguments, to_upper);
}

Value title(Arguments arguments) {
  bool starts = true;
  return changed(arguments, [&](char32_t c) {
    const char32_t out = starts ? to_upper(c) : c;
    starts = std::u32string_view(U" \t\r\n-.,;:!?()/").find(c) != std::u32string_view::npos;
    return out;
  });
}

Value to_json(Arguments arguments) {
  // Go's encoder here is told to leave <, > and & alone.
  const spec::Json& json = arguments[0].json();
  const auto view = json.is_object() ? json.find(json_view) : json.end();
  return text_value((view == json.end() ? json : *view).dump(-1, ' ', false, Json::error_handler_t::replace));
}

Value join(Arguments arguments) {
  const Value& list = arguments[0];
  if (list.shape() != Shape::list)
    throw ArgumentError("wrong type for value; expected []string; got " + type_text(list), 0);
  const std::string between = text_at(arguments, 1);
  std::string out;
  for (std::size_t i = 0; i < list.length(); ++i) out += (i == 0 ? "" : between) + list.at(i).print();
  return text_value(std::move(out));
}

Value split(Arguments arguments) {
  const std::string text = text_at(arguments, 0);
  const std::string between = text_at(arguments, 1);
  Json parts = Json::array();
  std::size_t start = 0;
  if (between.empty()) {
    for (; start < text.size(); start += decode_utf8(text, start).length) {
      parts.push_back(text.substr(start, decode_utf8(text, start).length));
    }
    return Value(std::move(parts), strings_type);
  }
  for (std::size_t at; (at = text.find(between, start)) != std::string::npos; start = at + between.size()) {
    parts.push_back(text.substr(start, at - start));
  }
  parts.push_back(text.substr(start));
  return Value(std::move(parts), strings_type);
}

Value pad(Arguments arguments) {
  const std::string text = text_at(arguments, 0);
  if (text.empty()) return text_value("");
  const auto spaces = [&](std::size_t i) {
    const std::int64_t count = integer_at(arguments, i);
    if (count < 0 || static_cast<std::uint64_t>(count) > max_padding) refuse("strings: padding out of range");
    return std::string(static_cast<std::size_t>(count), ' ');
  };
  return text_value(spaces(1) + text + spaces(2));
}

Value truncate(Arguments arguments) {
  const std::string text = text_at(arguments, 0);
  const std::int64_t limit = integer_at(arguments, 1);
  if (limit < 0 || static_cast<std::uint64_t>(limit) >= text.size()) return text_value(text);
  return text_value(text.substr(0, static_cast<std::size_t>(limit)));
}

Value length(Arguments arguments) {
  const Value& value = arguments[0];
  const Shape shape = value.shape();
  if (shape == Shape::any) refuse("len of nil pointer");
  if (shape != Shape::string && shape != Shape::list && shape != Shape::map)
    refuse("len of type " + type_text(value));
  return Value(Json(static_cast<std::int64_t>(value.length())));
}

std::size_t checked_index(const Value& index, std::size_t limit) {
  if (!index.is_integer()) {
    refuse(index.shape() == Shape::any ? "cannot index slice/array with nil"
                                       : "cannot index slice/array with type " + type_text(index));
  }
  const std::int64_t at = index.integer();
  if (at < 0 || static_cast<std::uint64_t>(at) >= limit) refuse(fmt::format("index out of range: {}", at));
  return static_cast<std::size_t>(at);
}

Value element(const Value& value, const Value& index) {
  switch (value.shape()) {
    case Shape::list: return value.at(checked_index(index, value.length()));
    case Shape::string: {
      const std::string text = value.text();
      const std::size_t at = checked_index(index, text.size());
      return Value(Json(static_cast<std::int64_t>(static_cast<unsigned char>(text[at]))));
    }
    case Shape::map:
      if (!index.is_string()) refuse(fmt::format("value has type {}; should be string", index.type_name()));
      return value.key(index.text());
    case Shape::any: refuse("index of untyped nil");
    default: refuse("can't index item of type " + type_text(value));
  }
}

Value index(Arguments arguments) {
  Value value = arguments[0];
  for (const Value& at : arguments.subspan(1)) value = element(value, at);
  return value;
}

Value slice(Arguments arguments) {
  const Value& value = arguments[0];
  if (value.shape() != Shape::list && value.shape() != Shape::string)
    refuse("can't slice item of type " + type_text(value));
  const auto bound = [&](std::size_t i, std::size_t otherwise) {
    return i < arguments.size() ? checked_index(arguments[i], value.length() + 1) : otherwise;
  };
  const std::size_t begin = bound(1, 0);
  const std::size_t end = bound(2, value.length());
  if (begin > end) refuse(fmt::format("invalid slice index: {} > {}", begin, end));
  if (value.is_string()) return text_value(value.text().substr(begin, end - begin));
  Json part = Json::array();
  for (std::size_t i = begin; i < end; ++i) part.push_back(value.at(i).json());
  return Value(std::move(part), value.type());
}

Value truth(Arguments arguments) {
  return Value(Json(!arguments[0].truth()));
}

// The family of comparable types.
std::string_view basic_kind(const Value& value) {
  switch (value.shape()) {
    case Shape::string: return "string";
    case Shape::integer: return "int";
    case Shape::real: return "float64";
    case Shape::boolean: return "bool";
    default: return "";
  }
}

bool equal(const Value& a, const Value& b) {
  const bool null_a = a.shape() == Shape::any;
  const bool null_b = b.shape() == Shape::any;
  if (null_a || null_b) return a.is_null() && b.is_null();
  if (basic_kind(a).empty() || basic_kind(b).empty())
    refuse("non-comparable type " + a.print() + ": " + type_text(a));
  if (basic_kind(a) != basic_kind(b)) {
    refuse(fmt::format("incompatible types for comparison: {} and {}", a.type_name(), b.type_name()));
  }
  switch (a.shape()) {
    case Shape::string: return a.text() == b.text();
    case Shape::integer: return a.integer() == b.integer();
    case Shape::real: return a.real() == b.real();
    default: return a.boolean() == b.boolean();
  }
}

bool less(const Value& a, const Value& b) {
  if (basic_kind(a).empty() || basic_kind(b).empty() || a.shape() == Shape::boolean)
    refuse("invalid type for comparison");
  if (basic_kind(a) != basic_kind(b)) {
    refuse(fmt::format("incompatible types for comparison: {} and {}", a.type_name(), b.type_name()));
  }
  if (a.is_string()) return a.text() < b.text();
  return a.is_integer() ? a.integer() < b.integer() : a.real() < b.real();
}

Value eq(Arguments arguments) {
  if (arguments.size() < 2) refuse("missing argument for comparison");
  return Value(Json(std::any_of(arguments.begin() + 1, arguments.end(),
                                [&](const Value& b) { return equal(arguments[0], b); })));
}
Value ne(Arguments a) {
  return Value(Json(!equal(a[0], a[1])));
}
Value lt(Arguments a) {
  return Value(Json(less(a[0], a[1])));
}
Value le(Arguments a) {
  return Value(Json(less(a[0], a[1]) || equal(a[0], a[1])));
}
Value gt(Arguments a) {
  return Value(Json(!less(a[0], a[1]) && !equal(a[0], a[1])));
}
Value ge(Arguments a) {
  return Value(Json(!less(a[0], a[1])));
}

Value print(Arguments arguments) {
  return text_value(go_print(arguments));
}
Value println(Arguments arguments) {
  return text_value(go_println(arguments));
}
Value printf(Arguments arguments) {
  return text_value(go_printf(text_at(arguments, 0), arguments.subspan(1)));
}

struct Function {
  std::string_view name;
  std::size_t least, most;
  Value (*call)(Arguments);
};

constexpr std::size_t any_number = std::numeric_limits<std::size_t>::max();

constexpr Function function_table[] = {
    {"and", 1, any_number, nullptr},
    {"or", 1, any_number, nullptr},
    {"not", 1, 1, truth},
    {"eq", 1, any_number, eq},
    {"ne", 2, 2, ne},
    {"lt", 2, 2, lt},
    {"le", 2, 2, le},
    {"gt", 2, 2, gt},
    {"ge", 2, 2, ge},
    {"len", 1, 1, length},
    {"index", 1, any_number, index},
    {"slice", 1, 3, slice},
    {"print", 0, any_number, print},
    {"println", 0, any_number, println},
    {"printf", 1, any_number, printf},
    {"join", 2, 2, join},
    {"json", 1, 1, to_json},
    {"lower", 1, 1, lower},
    {"pad", 3, 3, pad},
    {"split", 2, 2, split},
    {"title", 1, 1, title},
    {"truncate", 2, 2, truncate},
    {"upper", 1, 1, upper},
};

void check_count(const Function& function, std::size_t count) {
  if (count >= function.least && count <= function.most) return;
  const bool exact = function.least == function.most;
  throw ArityError(fmt::format("wrong number of args for {}: want {}{} got {}", function.name,
                               exact ? "" : "at least ", function.least, count));
}

}  // namespace

const std::vector<std::string>& function_names() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> all;
    for (const Function& function : function_table) all.emplace_back(function.name);
    return all;
  }();
  return names;
}

Value call_function(std::string_view name, std::span<const Value> arguments) {
  for (const Function& function : function_table) {
    if (function.name != name) continue;
    check_count(function, arguments.size());
    return function.call == nullptr ? arguments.back() : function.call(arguments);
  }
  refuse(fmt::format("function {} not defined", quote(name)));
}

}  // namespace lade::common::gotemplate

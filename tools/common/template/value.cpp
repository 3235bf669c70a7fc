#include "common/template/value.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "common/go_text.hpp"

namespace lade::common::gotemplate {
namespace {

using spec::Json;

constexpr GoType any_list_type{Shape::list, "[]interface {}"};
constexpr GoType any_map_type{Shape::map, "map[string]interface {}"};

// The type that Go's decoder gives to JSON it knows nothing about.
const GoType& type_of(const Json& json) {
  switch (json.type()) {
    case Json::value_t::string: return string_type;
    case Json::value_t::boolean: return boolean_type;
    case Json::value_t::number_integer:
    case Json::value_t::number_unsigned: return integer_type;
    case Json::value_t::number_float: return real_type;
    case Json::value_t::array: return any_list_type;
    case Json::value_t::object: return any_map_type;
    default: return any_type;
  }
}

// Whether JSON is what the type says; documents come from strangers.
bool fits(const Json& json, Shape shape) {
  switch (shape) {
    case Shape::string:
    case Shape::time: return json.is_string();
    case Shape::integer: return json.is_number_integer();
    case Shape::real: return json.is_number();
    case Shape::boolean: return json.is_boolean();
    case Shape::list: return json.is_array();
    case Shape::map:
    case Shape::structure: return json.is_object();
    case Shape::any: return true;
  }
  return false;
}

const GoType& resolve(const Json& json, const GoType& type) {
  if (json.is_null()) return type;
  return type.shape == Shape::any || !fits(json, type.shape) ? type_of(json) : type;
}

const GoType& element_of(const GoType& type) {
  return type.element == nullptr ? any_type : *type.element;
}

const GoField* find_field(const GoType& type, std::string_view name) {
  for (const GoField& field : type.fields) {
    if (field.name == name) return &field;
  }
  for (const GoField& field : type.fields) {
    if (!field.json.empty()) continue;
    if (const GoField* inner = find_field(*field.type, name)) return inner;
  }
  return nullptr;
}

std::string print_map(const Value& value) {
  std::string out = "map[";
  for (const std::string& key : value.keys()) {
    out += fmt::format("{}{}:{}", out.size() == 4 ? "" : " ", key, value.key(key).print());
  }
  return out + "]";
}

std::string print_list(const Value& value) {
  std::string out = "[";
  for (std::size_t i = 0; i < value.length(); ++i) out += (i == 0 ? "" : " ") + value.at(i).print();
  return out + "]";
}

std::string print_structure(const Value& value) {
  std::string out = "{";
  bool first = true;
  for (const GoField& field : value.type().fields) {
    out += (first ? "" : " ") + value.field(field.name).print();
    first = false;
  }
  return out + "}";
}

}  // namespace

Value::Value(Json json, const GoType& type) : json_(std::make_shared<const Json>(std::move(json))) {
  type_ = &resolve(*json_, type);
}

Value::Value(const Value& whole, const Json& part, const GoType& type)
    : json_(whole.json_, &part), type_(&resolve(part, type)) {}

Value Value::missing() {
  Value value;
  value.missing_ = true;
  return value;
}

std::string Value::text() const {
  return json_->is_string() ? json_->get<std::string>() : std::string();
}

std::int64_t Value::integer() const {
  return json_->is_number_integer() ? json_->get<std::int64_t>() : 0;
}

double Value::real() const {
  return json_->is_number() ? json_->get<double>() : 0;
}

bool Value::boolean() const {
  return json_->is_boolean() && json_->get<bool>();
}

std::size_t Value::length() const {
  return json_->is_string() ? json_->get_ref<const std::string&>().size() : json_->size();
}

Value Value::at(std::size_t index) const {
  return {*this, (*json_)[index], element_of(*type_)};
}

std::vector<std::string> Value::keys() const {
  std::vector<std::string> names;
  if (!json_->is_object()) return names;
  for (const auto& [name, element] : json_->items()) names.push_back(name);
  std::sort(names.begin(), names.end());
  return names;
}

Value Value::key(std::string_view name) const {
  if (json_->is_object()) {
    const auto found = json_->find(std::string(name));
    if (found != json_->end()) return {*this, *found, element_of(*type_)};
  }
  return element_of(*type_).shape == Shape::any ? missing() : Value(Json(nullptr), element_of(*type_));
}

bool Value::has_field(std::string_view name) const {
  return find_field(*type_, name) != nullptr;
}

Value Value::field(std::string_view name) const {
  const GoField* field = find_field(*type_, name);
  if (field == nullptr) return missing();
  if (field->json.empty()) return {*this, *json_, *field->type};
  if (json_->is_object()) {
    const auto found = json_->find(std::string(field->json));
    if (found != json_->end()) return {*this, *found, *field->type};
  }
  return Value(Json(nullptr), *field->type);
}

bool Value::truth() const {
  switch (shape()) {
    case Shape::string: return !text().empty();
    case Shape::integer: return integer() != 0;
    case Shape::real: return real() != 0;
    case Shape::boolean: return boolean();
    case Shape::list:
    case Shape::map: return json_->size() > 0 && !is_null();
    case Shape::time:
    case Shape::structure: return true;
    case Shape::any: return !is_null();
  }
  return false;
}

std::string Value::print() const {
  switch (shape()) {
    case Shape::string: return text();
    case Shape::integer:
      return json_->is_number_unsigned() ? fmt::format("{}", json_->get<std::uint64_t>())
                                         : fmt::format("{}", integer());
    case Shape::real: return print_real(real());
    case Shape::boolean: return boolean() ? "true" : "false";
    case Shape::time: return show_time(text());
    case Shape::list: return print_list(*this);
    case Shape::map: return print_map(*this);
    case Shape::structure: return print_structure(*this);
    case Shape::any: return missing_ ? "<no value>" : "<nil>";
  }
  return "";
}

std::string print_real(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
  const double magnitude = std::fabs(value);
  const bool scientific = magnitude != 0 && (magnitude < 1e-4 || magnitude >= 1e21);
  char buffer[64];
  const auto format = scientific ? std::chars_format::scientific : std::chars_format::fixed;
  const auto [end, error] = std::to_chars(buffer, buffer + sizeof buffer, value, format);
  return error == std::errc() ? std::string(buffer, end) : "";
}

}  // namespace lade::common::gotemplate

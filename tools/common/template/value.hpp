// Values of templates: JSON seen through Go's types, because the templates people have are written for Go's
// structs, and Go prints a nil map otherwise than a nil slice or a missing key.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "spec/json.hpp"

namespace lade::common::gotemplate {

enum class Shape { any, string, integer, real, boolean, time, list, map, structure };

struct GoField;

// A type of Go, made of constants that live for ever.
struct GoType {
  Shape shape = Shape::any;
  std::string_view name = "interface {}";  // as %T prints it
  const GoType* element = nullptr;         // of lists and maps; nullptr: any
  std::span<const GoField> fields = {};    // of structures, in Go's order
};

struct GoField {
  std::string_view name;  // as templates write it: "DiffIDs"
  std::string_view json;  // the member: "diff_ids"; "": an embedded structure, its members are here too
  const GoType* type;
};

inline constexpr GoType any_type{};
inline constexpr GoType string_type{Shape::string, "string"};
inline constexpr GoType integer_type{Shape::integer, "int"};
inline constexpr GoType real_type{Shape::real, "float64"};
inline constexpr GoType boolean_type{Shape::boolean, "bool"};
inline constexpr GoType time_type{Shape::time, "*time.Time"};
inline constexpr GoType strings_type{Shape::list, "[]string", &string_type};
inline constexpr GoType string_map_type{Shape::map, "map[string]string", &string_type};

// A member that stands for its whole object where a template asks for JSON: what Go's marshallers print instead
// of the fields.
inline constexpr std::string_view json_view = "\x01json";

// Cheap to copy: shares the document. A null with a type is Go's zero value of that type.
class Value {
 public:
  Value() : Value(spec::Json(nullptr)) {}
  explicit Value(spec::Json json, const GoType& type = any_type);
  // A part of `whole`'s document.
  Value(const Value& whole, const spec::Json& part, const GoType& type);
  // Go's "no value": what a missing key of an untyped map gives.
  static Value missing();

  const spec::Json& json() const { return *json_; }
  const GoType& type() const { return *type_; }
  Shape shape() const { return type_->shape; }
  bool is_null() const { return json_->is_null(); }
  bool is_missing() const { return missing_; }
  bool is_integer() const { return shape() == Shape::integer; }
  bool is_string() const { return shape() == Shape::string; }

  std::string text() const;      // of a string; "" for its zero
  std::int64_t integer() const;  // of an integer; 0 for its zero
  double real() const;           // of a number
  bool boolean() const;

  std::size_t length() const;             // of strings in bytes, of lists and maps
  Value at(std::size_t index) const;      // of lists, index < length()
  std::vector<std::string> keys() const;  // of maps, sorted
  // Of maps: the element, or the zero of its type, or missing().
  Value key(std::string_view name) const;
  // Of structures: nullptr-like (has_field) first.
  bool has_field(std::string_view name) const;
  Value field(std::string_view name) const;

  bool truth() const;  // Go template's IsTrue
  // %v
  std::string print() const;
  std::string_view type_name() const { return type_->name; }

 private:
  std::shared_ptr<const spec::Json> json_;
  const GoType* type_;
  bool missing_ = false;
};

// As Go's %v: the shortest digits, exponents from 1e+21 on.
std::string print_real(double value);

}  // namespace lade::common::gotemplate

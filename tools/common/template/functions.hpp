// The functions that templates may call: Go's own and those of containers' report package.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "common/template/value.hpp"

namespace lade::common::gotemplate {

const std::vector<std::string>& function_names();

// `and` and `or` do not come here: they do not evaluate all their arguments.
// Kind::invalid_input with Go's words. `argument` of the error, if one argument is to blame, is its position.
Value call_function(std::string_view name, std::span<const Value> arguments);

// An argument that is not what the function takes; not wrapped in "error calling X" as other errors are.
class ArgumentError : public Error {
 public:
  ArgumentError(std::string message, std::size_t index)
      : Error(Kind::invalid_input, std::move(message)), index_(index) {}
  std::size_t index() const { return index_; }

 private:
  std::size_t index_;
};

// How many arguments it was given; said of the whole call, not wrapped either.
class ArityError : public Error {
 public:
  explicit ArityError(std::string message) : Error(Kind::invalid_input, std::move(message)) {}
};

// fmt.Sprintf, Sprint and Sprintln.
std::string go_printf(std::string_view format, std::span<const Value> arguments);
std::string go_print(std::span<const Value> arguments);
std::string go_println(std::span<const Value> arguments);

}  // namespace lade::common::gotemplate

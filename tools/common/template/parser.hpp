// Tokens -> tree.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "common/template/value.hpp"

namespace lade::common::gotemplate {

struct Pipeline;

// One operand: what it begins with, then a chain of fields.
struct Operand {
  enum class Kind { dot, variable, function, literal, nil, pipeline };
  Kind kind = Kind::dot;
  std::string name;  // of a variable ("$x") or function
  Value literal;
  std::unique_ptr<Pipeline> pipeline;  // in parentheses
  std::vector<std::string> fields;
  std::size_t position = 0;
  std::string source;  // as written, for messages
};

// A function or value with its arguments.
struct Call {
  std::vector<Operand> operands;  // at least one
  std::size_t position = 0;
  std::string source;
};

struct Pipeline {
  std::vector<std::string> variables;  // "$i", "$e"
  bool declares = false;               // := or =
  std::vector<Call> calls;
  std::size_t position = 0;
  std::string source;
};

struct Node {
  enum class Kind { text, action, branch_if, branch_with, loop, leave, next };
  Kind kind = Kind::text;
  std::string text;
  Pipeline pipeline;
  std::vector<Node> body;
  std::vector<Node> otherwise;
};

// SyntaxError with Go's messages; also for functions that are not in `functions` and for nesting deeper
// than 100.
std::vector<Node> parse(std::string_view text, const std::vector<std::string>& functions);

}  // namespace lade::common::gotemplate

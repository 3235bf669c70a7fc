#include "common/template/evaluate.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "common/go_text.hpp"
#include "common/template/functions.hpp"
#include "common/template/lexer.hpp"
#include "common/template/parser.hpp"

namespace lade::common::gotemplate {
namespace {

constexpr std::size_t max_output = 64 * 1024 * 1024;
constexpr std::size_t max_steps = 10'000'000;

std::size_t line_of(std::string_view text, std::size_t position) {
  return 1 + static_cast<std::size_t>(std::count(
                 text.begin(), text.begin() + static_cast<std::ptrdiff_t>(std::min(position, text.size())),
                 '\n'));
}

std::size_t column_of(std::string_view text, std::size_t position) {
  const std::size_t newline = text.substr(0, position).rfind('\n');
  return newline == std::string_view::npos ? position : position - newline - 1;
}

class Evaluator {
 public:
  Evaluator(std::string_view name, std::string_view text, const Value& data, MissingKeys missing)
      : missing_(missing), name_(name), text_(text) {
    variables_.push_back({"$", data});
  }

  std::string run(const std::vector<Node>& nodes, const Value& dot) {
    walk(nodes, dot);
    return std::move(out_);
  }

 private:
  struct Variable {
    std::string name;
    Value value;
  };
  enum class Flow { on, leave, next };

  [[noreturn]] void refuse(std::size_t position, std::string_view source, std::string_view message) const {
    throw Error(Kind::invalid_input,
                fmt::format("template: {}:{}:{}: executing {} at <{}>: {}", name_, line_of(text_, position),
                            column_of(text_, position), quote(name_), source, message));
  }

  void emit(std::string_view text) {
    if (out_.size() + text.size() > max_output)
      throw Error(Kind::invalid_input, "the template's output is too long");
    out_ += text;
  }

  void count_step() {
    if (++steps_ > max_steps) throw Error(Kind::invalid_input, "the template takes too many steps");
  }

  Flow walk(const std::vector<Node>& nodes, const Value& dot) {
    for (const Node& node : nodes) {
      count_step();
      const Flow flow = walk(node, dot);
      if (flow != Flow::on) return flow;
    }
    return Flow::on;
  }

  Flow walk(const Node& node, const Value& dot) {
    switch (node.kind) {
      case Node::Kind::text: emit(node.text); return Flow::on;
      case Node::Kind::action: walk_action(node, dot); return Flow::on;
      case Node::Kind::branch_if:
      case Node::Kind::branch_with: return walk_branch(node, dot);
      case Node::Kind::loop: return walk_loop(node, dot);
      case Node::Kind::leave: return Flow::leave;
      case Node::Kind::next: return Flow::next;
    }
    return Flow::on;
  }

  void walk_action(const Node& node, const Value& dot) {
    const Value value = evaluate(node.pipeline, dot);
    if (!node.pipeline.variables.empty()) return;
    // A null that no type explains is "no value" when it stands alone.
    emit(value.shape() == Shape::any ? "<no value>" : value.print());
  }

  Flow walk_branch(const Node& node, const Value& dot) {
    const std::size_t scope = variables_.size();
    const Value value = evaluate(node.pipeline, dot);
    const bool with = node.kind == Node::Kind::branch_with;
    const Flow flow = value.truth() ? walk(node.body, with ? value : dot) : walk(node.otherwise, dot);
    variables_.resize(scope, Variable{"", dot});
    return flow;
  }

  Flow walk_loop(const Node& node, const Value& dot) {
    const std::size_t scope = variables_.size();
    const Value over = evaluate_calls(node.pipeline, dot);
    const bool looped = over.shape() == Shape::map ? loop_map(node, over) : loop_list(node, over);
    variables_.resize(scope, Variable{"", dot});
    return looped ? Flow::on : walk(node.otherwise, dot);
  }

  bool loop_map(const Node& node, const Value& over) {
    for (const std::string& key : over.keys()) {
      if (!loop_once(node, Value(spec::Json(key)), over.key(key))) break;
    }
    return over.length() > 0;
  }

  bool loop_list(const Node& node, const Value& over) {
    const bool counts = over.is_integer();
    if (!counts && over.shape() != Shape::list && over.shape() != Shape::any) {
      refuse(node.pipeline.calls.front().position, node.pipeline.source,
             fmt::format("range can't iterate over {}", over.print()));
    }
    const std::int64_t end =
        counts ? over.integer() : static_cast<std::int64_t>(over.is_null() ? 0 : over.length());
    for (std::int64_t i = 0; i < end; ++i) {
      Value position{spec::Json(i)};
      const Value element = counts ? position : over.at(static_cast<std::size_t>(i));
      if (!loop_once(node, std::move(position), element)) break;
    }
    return end > 0;
  }

  // False: the loop ends.
  bool loop_once(const Node& node, Value index, const Value& element) {
    count_step();
    const std::size_t scope = variables_.size();
    const auto& names = node.pipeline.variables;
    if (names.size() == 1) bind(node.pipeline, names[0], element);
    if (names.size() == 2) {
      bind(node.pipeline, names[0], std::move(index));
      bind(node.pipeline, names[1], element);
    }
    const Flow flow = walk(node.body, element);
    variables_.resize(scope, Variable{"", element});
    return flow != Flow::leave;
  }

  void bind(const Pipeline& pipeline, const std::string& name, Value value) {
    if (pipeline.declares) {
      variables_.push_back({name, std::move(value)});
      return;
    }
    find_variable(name).value = std::move(value);
  }

  Variable& find_variable(const std::string& name) {
    const auto found = std::find_if(variables_.rbegin(), variables_.rend(),
                                    [&](const Variable& v) { return v.name == name; });
    if (found == variables_.rend())
      throw Error(Kind::invalid_input, fmt::format("undefined variable {}", quote(name)));
    return *found;
  }

  Value evaluate(const Pipeline& pipeline, const Value& dot) {
    Value value = evaluate_calls(pipeline, dot);
    for (const std::string& name : pipeline.variables) bind(pipeline, name, value);
    return value;
  }

  Value evaluate_calls(const Pipeline& pipeline, const Value& dot) {
    Value value = evaluate(pipeline.calls.front(), dot, nullptr);
    for (std::size_t i = 1; i < pipeline.calls.size(); ++i) value = evaluate(pipeline.calls[i], dot, &value);
    return value;
  }

  // `last` is what comes through the pipe: one more argument at the end.
  Value evaluate(const Call& call, const Value& dot, const Value* last) {
    count_step();
    const Operand& first = call.operands.front();
    if (first.kind == Operand::Kind::function && first.fields.empty())
      return evaluate_function(call, dot, last);
    if (first.kind == Operand::Kind::nil) refuse(first.position, first.source, "nil is not a command");
    if (call.operands.size() > 1 || last != nullptr) refuse_arguments(first);
    return evaluate(first, dot);
  }

  [[noreturn]] void refuse_arguments(const Operand& operand) const {
    if (operand.fields.empty()) {
      refuse(operand.position, operand.source, "can't give argument to non-function " + operand.source);
    }
    refuse(operand.position, operand.source,
           fmt::format("{} has arguments but cannot be invoked as function", operand.fields.back()));
  }

  Value evaluate_function(const Call& call, const Value& dot, const Value* last) {
    const std::string& name = call.operands.front().name;
    const auto rest = std::span(call.operands).subspan(1);
    const bool is_and = name == "and";
    std::vector<Value> arguments;
    for (const Operand& operand : rest) {
      arguments.push_back(evaluate(operand, dot));
      if ((is_and || name == "or") && arguments.back().truth() != is_and) return arguments.back();
    }
    if (last != nullptr) arguments.push_back(*last);
    try {
      return call_function(name, arguments);
    } catch (const ArgumentError& error) {
      const bool piped = error.index() >= rest.size();
      const Operand& culprit = piped ? call.operands.front() : rest[error.index()];
      refuse(culprit.position, piped ? call.source : culprit.source, error.message());
    } catch (const ArityError& error) {
      refuse(call.position, name, error.message());
    } catch (const Error& error) {
      refuse(call.position, call.source, fmt::format("error calling {}: {}", name, error.message()));
    }
  }

  Value evaluate(const Operand& operand, const Value& dot) {
    Value value = beginning(operand, dot);
    for (const std::string& name : operand.fields) value = field_of(operand, value, name);
    return value;
  }

  Value beginning(const Operand& operand, const Value& dot) {
    switch (operand.kind) {
      case Operand::Kind::dot: return dot;
      case Operand::Kind::variable: return find_variable(operand.name).value;
      case Operand::Kind::literal: return operand.literal;
      case Operand::Kind::nil: return Value();
      case Operand::Kind::pipeline: return evaluate(*operand.pipeline, dot);
      case Operand::Kind::function: {
        Call call;
        Operand function;
        function.kind = Operand::Kind::function;
        function.name = operand.name;
        call.operands.push_back(std::move(function));
        call.position = operand.position;
        call.source = operand.name;
        return evaluate_function(call, dot, nullptr);
      }
    }
    return Value();
  }

  Value field_of(const Operand& operand, const Value& value, const std::string& name) const {
    if (value.shape() == Shape::structure && value.has_field(name)) return value.field(name);
    if (value.shape() == Shape::map)
      return missing_ == MissingKeys::no_value && !value.json().contains(name) ? Value::missing()
                                                                               : value.key(name);
    if (value.shape() == Shape::any) {
      refuse(operand.position, operand.source,
             value.is_missing() ? fmt::format("nil data; no entry for key {}", quote(name))
                                : fmt::format("nil pointer evaluating interface {{}}.{}", name));
    }
    refuse(operand.position, operand.source,
           fmt::format("can't evaluate field {} in type {}", name, value.type_name()));
  }

  MissingKeys missing_;
  std::string_view name_, text_;
  std::vector<Variable> variables_;
  std::string out_;
  std::size_t steps_ = 0;
};

std::vector<Node> parse_named(std::string_view name, std::string_view text) {
  try {
    return parse(text, function_names());
  } catch (const SyntaxError& error) {
    throw Error(Kind::invalid_input,
                fmt::format("template: {}:{}: {}", name, line_of(text, error.position()), error.message()));
  }
}

}  // namespace

std::string render(std::string_view name, std::string_view text, const Value& data, MissingKeys missing) {
  const std::vector<Node> nodes = parse_named(name, text);
  return Evaluator(name, text, data, missing).run(nodes, data);
}

void check(std::string_view name, std::string_view text) {
  parse_named(name, text);
}

}  // namespace lade::common::gotemplate

#include "common/template/parser.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>

#include "common/go_text.hpp"
#include "common/template/lexer.hpp"

namespace lade::common::gotemplate {
namespace {

constexpr int max_depth = 100;

std::string shown(const Token& token) {
  switch (token.kind) {
    case TokenKind::end: return "EOF";
    case TokenKind::string: return quote(token.value);
    case TokenKind::dot:
    case TokenKind::field:
    case TokenKind::identifier: return fmt::format("<{}>", token.value);
    default: return fmt::format("{}", quote(token.value));
  }
}

// An integer or a floating point number as Go writes them; nullopt: neither.
std::optional<Value> parse_number(const std::string& text) {
  const bool hexadecimal = text.find_first_of("xX") != std::string::npos;
  const bool floating = text.find_first_of(hexadecimal ? ".pP" : ".eE") != std::string::npos;
  try {
    if (!floating) return Value(spec::Json(parse_int(text)));
  } catch (const Error&) {
    return std::nullopt;
  }
  std::string digits = text;
  digits.erase(std::remove(digits.begin(), digits.end(), '_'), digits.end());
  const char* begin = digits.data() + (digits[0] == '+' ? 1 : 0);
  const char* end = digits.data() + digits.size();
  double value = 0;
  const auto [at, error] = std::from_chars(begin, end, value);
  if (error != std::errc() || at != end || hexadecimal) return std::nullopt;
  // 1e3 is a whole number, and as a constant Go takes it for an int.
  if (text.find('.') == std::string::npos && value == static_cast<double>(static_cast<std::int64_t>(value))) {
    return Value(spec::Json(static_cast<std::int64_t>(value)));
  }
  return Value(spec::Json(value));
}

class Parser {
 public:
  Parser(std::string_view text, const std::vector<std::string>& functions)
      : text_(text), functions_(functions), tokens_(tokenize(text)) {}

  std::vector<Node> run() {
    std::vector<Node> nodes = parse_list(false);
    if (peek().kind != TokenKind::end) refuse(fmt::format("unexpected {{{{{}}}}}", keyword()));
    return nodes;
  }

 private:
  struct Deeper {
    explicit Deeper(Parser& parser) : parser_(parser) {
      if (++parser_.depth_ > max_depth) parser_.refuse("max expression depth exceeded");
    }
    ~Deeper() { --parser_.depth_; }
    Parser& parser_;
  };

  [[noreturn]] void refuse(std::string message) const {
    throw SyntaxError(std::move(message), peek().position);
  }

  const Token& peek(std::size_t ahead = 0) const {
    return tokens_[std::min(at_ + ahead, tokens_.size() - 1)];
  }
  const Token& next() { return tokens_[at_ + 1 < tokens_.size() ? at_++ : at_]; }
  void skip_spaces() {
    while (peek().kind == TokenKind::space) ++at_;
  }
  const Token& peek_word() {
    skip_spaces();
    return peek();
  }

  // The word after "{{", if `peek()` is that "{{"; "" if it is not a word.
  std::string keyword() const {
    if (peek().kind != TokenKind::open) return "";
    std::size_t ahead = 1;
    while (peek(ahead).kind == TokenKind::space) ++ahead;
    return peek(ahead).kind == TokenKind::identifier ? peek(ahead).value : "";
  }

  // Nodes up to the end or an {{end}} or {{else}}, which stays unread.
  std::vector<Node> parse_list(bool inside) {
    const Deeper deeper(*this);
    std::vector<Node> nodes;
    while (peek().kind != TokenKind::end) {
      if (peek().kind == TokenKind::text) {
        Node node;
        node.text = next().value;
        nodes.push_back(std::move(node));
        continue;
      }
      const std::string word = keyword();
      if (word == "end" || word == "else") return nodes;
      nodes.push_back(parse_action(word));
    }
    if (inside) refuse("unexpected EOF");
    return nodes;
  }

  Node parse_action(const std::string& word) {
    next();
    if (word == "if" || word == "with" || word == "range") {
      next_word();
      return parse_control(word);
    }
    if (word == "break" || word == "continue") {
      if (loops_ == 0) refuse(fmt::format("{{{{{}}}}} outside {{{{range}}}}", word));
      next_word();
      expect_close(word);
      Node node;
      node.kind = word == "break" ? Node::Kind::leave : Node::Kind::next;
      return node;
    }
    if (word == "define" || word == "block" || word == "template")
      refuse(fmt::format("unexpected <{}> in command", word));
    Node node;
    node.kind = Node::Kind::action;
    node.pipeline = parse_pipeline("command", TokenKind::close);
    next();
    return node;
  }

  const Token& next_word() {
    skip_spaces();
    return next();
  }

  void expect_close(const std::string& where) {
    if (peek_word().kind != TokenKind::close)
      refuse(fmt::format("unexpected {} in {}", shown(peek()), where));
    next();
  }

  // Behind "if", "with" or "range" up to and with its {{end}}.
  Node parse_control(const std::string& word) {
    const Deeper deeper(*this);
    Node node;
    node.kind = word == "if"     ? Node::Kind::branch_if
                : word == "with" ? Node::Kind::branch_with
                                 : Node::Kind::loop;
    const std::size_t scope = variables_.size();
    node.pipeline = parse_pipeline(word, TokenKind::close);
    next();
    loops_ += word == "range" ? 1 : 0;
    node.body = parse_list(true);
    loops_ -= word == "range" ? 1 : 0;
    if (keyword() == "else") {
      next();
      next_word();
      const std::string again = peek_word().kind == TokenKind::identifier ? peek().value : "";
      if (again == word && word != "range") {
        next();
        node.otherwise.push_back(parse_control(word));
        variables_.resize(scope);
        return node;  // the {{end}} was the inner one's
      }
      expect_close("else");
      node.otherwise = parse_list(true);
    }
    if (keyword() != "end") refuse(fmt::format("expected end; found {{{{{}}}}}", keyword()));
    next();
    next_word();
    expect_close("end");
    variables_.resize(scope);
    return node;
  }

  Pipeline parse_pipeline(const std::string& where, TokenKind closing) {
    const Deeper deeper(*this);
    Pipeline pipeline;
    pipeline.position = peek_word().position;
    parse_declaration(pipeline, where);
    for (;;) {
      if (peek_word().kind == closing) break;
      pipeline.calls.push_back(parse_call(where, closing));
      if (peek_word().kind == TokenKind::pipe) next();
    }
    if (pipeline.calls.empty()) refuse("missing value for " + where);
    check_pipeline(pipeline);
    pipeline.source = source(pipeline.position, peek().position);
    if (pipeline.declares)
      variables_.insert(variables_.end(), pipeline.variables.begin(), pipeline.variables.end());
    return pipeline;
  }

  // Only the first call of a pipeline may be a plain value.
  void check_pipeline(const Pipeline& pipeline) const {
    for (std::size_t i = 1; i < pipeline.calls.size(); ++i) {
      const auto kind = pipeline.calls[i].operands.front().kind;
      if (kind == Operand::Kind::literal || kind == Operand::Kind::nil || kind == Operand::Kind::dot) {
        const bool is_field = !pipeline.calls[i].operands.front().fields.empty();
        if (!is_field) refuse(fmt::format("non executable command in pipeline stage {}", i + 1));
      }
    }
  }

  // "$x :=", "$x =" and in range "$i, $e :=".
  void parse_declaration(Pipeline& pipeline, const std::string& where) {
    const std::size_t start = at_;
    std::vector<std::string> names;
    while (peek_word().kind == TokenKind::variable) {
      names.push_back(next().value);
      if (peek_word().kind != TokenKind::comma) break;
      if (where != "range") break;
      next();
    }
    const TokenKind kind = peek_word().kind;
    if (names.empty() || (kind != TokenKind::declare && kind != TokenKind::assign)) {
      at_ = start;
      return;
    }
    if (names.size() > 2) refuse("too many declarations in " + where);
    pipeline.declares = kind == TokenKind::declare;
    for (const std::string& name : names) {
      if (!pipeline.declares) check_variable(name);
    }
    pipeline.variables = std::move(names);
    next();
  }

  void check_variable(const std::string& name) const {
    if (name != "$" && std::find(variables_.begin(), variables_.end(), name) == variables_.end()) {
      refuse(fmt::format("undefined variable {}", quote(name)));
    }
  }

  Call parse_call(const std::string& where, TokenKind closing) {
    Call call;
    call.position = peek_word().position;
    while (peek_word().kind != closing && peek().kind != TokenKind::pipe) {
      call.operands.push_back(parse_operand(where));
      const TokenKind kind = peek().kind;
      if (kind != TokenKind::space && kind != closing && kind != TokenKind::pipe) {
        refuse(fmt::format("unexpected {} in operand", shown(peek())));
      }
    }
    if (call.operands.empty()) refuse("empty command");
    call.source = source(call.position, peek().position);
    return call;
  }

  Operand parse_operand(const std::string& where) {
    Operand operand;
    const Token& token = next();
    operand.position = token.position;
    bool chainable = true;
    switch (token.kind) {
      case TokenKind::identifier: chainable = parse_word(token, operand); break;
      case TokenKind::field: operand.fields.push_back(token.value.substr(1)); break;
      case TokenKind::dot: break;
      case TokenKind::variable:
        check_variable(token.value);
        operand.kind = Operand::Kind::variable;
        operand.name = token.value;
        break;
      case TokenKind::left_paren:
        operand.kind = Operand::Kind::pipeline;
        operand.pipeline =
            std::make_unique<Pipeline>(parse_pipeline("parenthesized pipeline", TokenKind::right_paren));
        next();
        break;
      default: chainable = parse_literal(token, operand, where); break;
    }
    parse_chain(operand, chainable);
    operand.source = source(token.position, peek().position);
    return operand;
  }

  void parse_chain(Operand& operand, bool chainable) {
    if (peek().kind == TokenKind::field && !chainable) {
      refuse(fmt::format("unexpected . after term {}", quote(source(operand.position, peek().position))));
    }
    bool first = true;
    while (peek().kind == TokenKind::field) {
      // Go counts a chain from its second part on, unless that chain hangs on parentheses.
      if (first && operand.kind != Operand::Kind::pipeline) operand.position = peek().position;
      first = false;
      operand.fields.push_back(next().value.substr(1));
    }
  }

  bool parse_word(const Token& token, Operand& operand) {
    operand.kind = Operand::Kind::literal;
    if (token.value == "true" || token.value == "false") {
      operand.literal = Value(spec::Json(token.value == "true"));
      return false;
    }
    if (token.value == "nil") {
      operand.kind = Operand::Kind::nil;
      return false;
    }
    if (std::find(functions_.begin(), functions_.end(), token.value) == functions_.end()) {
      --at_;
      refuse(fmt::format("function {} not defined", quote(token.value)));
    }
    operand.kind = Operand::Kind::function;
    operand.name = token.value;
    return true;
  }

  bool parse_literal(const Token& token, Operand& operand, const std::string& where) {
    operand.kind = Operand::Kind::literal;
    if (token.kind == TokenKind::string) {
      operand.literal = Value(spec::Json(token.value));
    } else if (token.kind == TokenKind::number || token.kind == TokenKind::character) {
      const auto number = parse_number(token.value);
      if (!number) {
        --at_;
        refuse(fmt::format("bad number syntax: {}", quote(token.value)));
      }
      operand.literal = *number;
    } else {
      --at_;
      refuse(token.kind == TokenKind::close || token.kind == TokenKind::end
                 ? "unclosed action"
                 : fmt::format("unexpected {} in {}", shown(token), where));
    }
    return false;
  }

  std::string source(std::size_t begin, std::size_t end) const {
    const std::string_view piece = text_.substr(begin, end > begin ? end - begin : 0);
    return std::string(piece.substr(0, piece.find_last_not_of(" \t\r\n") + 1));
  }

  std::string_view text_;
  const std::vector<std::string>& functions_;
  std::vector<Token> tokens_;
  std::size_t at_ = 0;
  int depth_ = 0;
  int loops_ = 0;
  std::vector<std::string> variables_;
};

}  // namespace

std::vector<Node> parse(std::string_view text, const std::vector<std::string>& functions) {
  return Parser(text, functions).run();
}

}  // namespace lade::common::gotemplate

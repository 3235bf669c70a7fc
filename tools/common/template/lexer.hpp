// Text of a template -> tokens, by the rules of Go's text/template.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"

namespace lade::common::gotemplate {

enum class TokenKind {
  text,
  open,   // {{ and its trim marker
  close,  // }}
  space,
  identifier,  // also keywords, true, false, nil
  field,       // ".Name"
  variable,    // "$", "$name"
  dot,
  string,     // value is unquoted
  character,  // value is the number in decimal
  number,
  pipe,
  left_paren,
  right_paren,
  comma,
  declare,  // :=
  assign,   // =
  end,
};

struct Token {
  TokenKind kind;
  std::string value;
  std::size_t position;  // in the template
};

// A template that cannot be read. `position` says where; messages are Go's.
class SyntaxError : public Error {
 public:
  SyntaxError(std::string message, std::size_t position)
      : Error(Kind::invalid_input, std::move(message)), position_(position) {}
  std::size_t position() const { return position_; }

 private:
  std::size_t position_;
};

// Ends with one Token::end. Comments are left out and trim markers are carried out.
std::vector<Token> tokenize(std::string_view text);

}  // namespace lade::common::gotemplate

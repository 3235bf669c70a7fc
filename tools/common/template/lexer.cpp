#include "common/template/lexer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>

#include "common/go_text.hpp"

namespace lade::common::gotemplate {
namespace {

constexpr std::string_view spaces = " \t\r\n";

bool is_space(char c) {
  return spaces.find(c) != std::string_view::npos;
}
bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_word(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (c & 0x80) != 0;
}

std::string describe(char c) {
  const auto code = static_cast<unsigned char>(c);
  return fmt::format("U+{:04X}", code) + (code >= 0x20 && code < 0x7f ? fmt::format(" '{}'", c) : "");
}

class Lexer {
 public:
  explicit Lexer(std::string_view text) : text_(text) {}

  std::vector<Token> run() {
    while (at_ < text_.size()) {
      lex_text();
      if (at_ < text_.size()) lex_action();
    }
    add(TokenKind::end, "", at_);
    return std::move(tokens_);
  }

 private:
  [[noreturn]] void refuse(std::string message) const { throw SyntaxError(std::move(message), at_); }
  char peek(std::size_t ahead = 0) const { return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0'; }
  bool looking_at(std::string_view word) const { return text_.substr(at_).starts_with(word); }
  void add(TokenKind kind, std::string value, std::size_t position) {
    tokens_.push_back({kind, std::move(value), position});
  }

  // Up to the next "{{" or the end; the marker of that "{{-" trims the text's end.
  void lex_text() {
    const std::size_t open = std::min(text_.find("{{", at_), text_.size());
    std::string_view piece = text_.substr(at_, open - at_);
    const bool trims =
        text_.substr(open).starts_with("{{-") && open + 3 < text_.size() && is_space(text_[open + 3]);
    if (trims) piece = piece.substr(0, piece.find_last_not_of(spaces) + 1);
    if (!piece.empty()) add(TokenKind::text, std::string(piece), at_);
    at_ = open;
  }

  void lex_action() {
    const std::size_t open = at_;
    at_ += 2;
    if (peek() == '-' && is_space(peek(1))) at_ += 2;
    if (looking_at("/*")) return lex_comment(open);
    add(TokenKind::open, "{{", open);
    depth_ = 0;
    while (!at_close()) lex_token();
    if (depth_ > 0) refuse("unclosed left paren");
    add(TokenKind::close, "}}", at_);
    skip_close();
  }

  bool trims_after() const {
    return is_space(peek()) && peek(1) == '-' && text_.substr(at_ + 2).starts_with("}}");
  }
  bool at_close() const { return looking_at("}}") || trims_after(); }

  void skip_close() {
    const bool trims = trims_after();
    at_ += trims ? 4 : 2;
    if (trims) at_ = std::min(text_.find_first_not_of(spaces, at_), text_.size());
  }

  void lex_comment(std::size_t open) {
    const std::size_t end = text_.find("*/", at_);
    if (end == std::string_view::npos) refuse("unclosed comment");
    at_ = end + 2;
    if (!at_close()) {
      at_ = open;
      refuse("comment ends before closing delimiter");
    }
    skip_close();
  }

  void lex_token() {
    const std::size_t start = at_;
    const char c = peek();
    if (at_ >= text_.size()) refuse("unclosed action");
    if (is_space(c)) return lex_space();
    if (c == '"') return lex_quoted();
    if (c == '`') return lex_raw();
    if (c == '\'') return lex_character();
    if (c == '.' && !is_digit(peek(1))) return lex_dot();
    if (c == '$') return lex_word(TokenKind::variable);
    if (is_digit(c) || c == '+' || c == '-' || c == '.') return lex_number();
    if (is_word(c)) return lex_word(TokenKind::identifier);
    lex_punctuation(start, c);
  }

  void lex_punctuation(std::size_t start, char c) {
    ++at_;
    switch (c) {
      case '|': return add(TokenKind::pipe, "|", start);
      case ',': return add(TokenKind::comma, ",", start);
      case '=': return add(TokenKind::assign, "=", start);
      case '(': ++depth_; return add(TokenKind::left_paren, "(", start);
      case ')':
        if (depth_-- == 0) refuse("unexpected right paren");
        return add(TokenKind::right_paren, ")", start);
      case ':':
        if (peek() != '=') refuse("expected :=");
        ++at_;
        return add(TokenKind::declare, ":=", start);
      default: break;
    }
    --at_;
    if (std::string_view("{}").find(c) != std::string_view::npos) refuse("bad character " + describe(c));
    refuse(static_cast<unsigned char>(c) < 0x80 && c > 0x20 && c != 0x7f
               ? fmt::format("unexpected \"{}\" in command", c)
               : "unrecognized character in action: " + describe(c));
  }

  void lex_space() {
    const std::size_t start = at_;
    while (is_space(peek()) && !trims_after()) ++at_;
    add(TokenKind::space, " ", start);
  }

  void lex_dot() {
    const std::size_t start = at_++;
    if (!is_word(peek())) return add(TokenKind::dot, ".", start);
    while (is_word(peek())) ++at_;
    add(TokenKind::field, std::string(text_.substr(start, at_ - start)), start);
    check_terminator();
  }

  void lex_word(TokenKind kind) {
    const std::size_t start = at_++;
    while (is_word(peek())) ++at_;
    add(kind, std::string(text_.substr(start, at_ - start)), start);
    check_terminator();
  }

  void check_terminator() const {
    const char c = peek();
    const bool ends = at_ >= text_.size() || is_space(c) || at_close() ||
                      std::string_view(".,|:)(=").find(c) != std::string_view::npos;
    if (!ends) refuse("bad character " + describe(c));
  }

  void lex_number() {
    const std::size_t start = at_;
    if (peek() == '+' || peek() == '-') ++at_;
    while (is_word(peek()) || peek() == '.' ||
           ((peek() == '+' || peek() == '-') && (text_[at_ - 1] == 'e' || text_[at_ - 1] == 'E') &&
            !text_.substr(start, 3).starts_with("0x"))) {
      ++at_;
    }
    add(TokenKind::number, std::string(text_.substr(start, at_ - start)), start);
  }

  void lex_raw() {
    const std::size_t start = at_;
    const std::size_t end = text_.find('`', at_ + 1);
    if (end == std::string_view::npos) refuse("unterminated raw quoted string");
    add(TokenKind::string, std::string(text_.substr(start + 1, end - start - 1)), start);
    at_ = end + 1;
  }

  void lex_quoted() {
    const std::size_t start = at_++;
    std::string value;
    while (peek() != '"') append_character(value, "unterminated quoted string");
    ++at_;
    add(TokenKind::string, std::move(value), start);
  }

  void lex_character() {
    const std::size_t start = at_++;
    std::string value;
    append_character(value, "unterminated character constant");
    if (peek() != '\'') refuse("malformed character constant");
    ++at_;
    add(TokenKind::character, fmt::format("{}", static_cast<std::uint32_t>(decode_utf8(value, 0).value)),
        start);
  }

  // One character or escape sequence of a literal.
  void append_character(std::string& value, const char* unterminated) {
    const char c = peek();
    if (at_ >= text_.size() || c == '\n') refuse(unterminated);
    ++at_;
    if (c != '\\') {
      value += c;
      while ((peek() & 0xc0) == 0x80) value += text_[at_++];
      return;
    }
    const char escape = peek();
    if (at_ >= text_.size() || escape == '\n') refuse(unterminated);
    ++at_;
    constexpr std::string_view names = "abfnrtv\\\"'";
    constexpr std::string_view values = "\a\b\f\n\r\t\v\\\"'";
    if (const std::size_t known = names.find(escape); known != std::string_view::npos) {
      value += values[known];
    } else if (escape == 'x') {
      value += static_cast<char>(number(2, 16));
    } else if (escape >= '0' && escape <= '3') {
      --at_;
      value += static_cast<char>(number(3, 8));
    } else if (escape == 'u' || escape == 'U') {
      append_utf8(value, number(escape == 'u' ? 4 : 8, 16));
    } else {
      refuse("invalid syntax");
    }
  }

  std::uint32_t number(std::size_t digits, int base) {
    const std::string_view piece = text_.substr(at_, digits);
    std::uint32_t value = 0;
    const auto [end, error] = std::from_chars(piece.data(), piece.data() + piece.size(), value, base);
    if (error != std::errc() || piece.size() != digits || end != piece.data() + digits || value > 0x10ffff) {
      refuse("invalid syntax");
    }
    at_ += digits;
    return value;
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::size_t depth_ = 0;
  std::vector<Token> tokens_;
};

}  // namespace

std::vector<Token> tokenize(std::string_view text) {
  return Lexer(text).run();
}

}  // namespace lade::common::gotemplate

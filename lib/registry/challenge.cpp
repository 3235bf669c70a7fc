#include "registry/challenge.hpp"

#include <optional>

#include "registry/text.hpp"

namespace lade::registry {

namespace {

constexpr std::size_t max_header_value = 16 * 1024;
constexpr std::size_t max_challenges = 16;
constexpr std::size_t max_parameters = 32;

bool is_token68_char(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
         std::string_view("-._~+/").find(c) != std::string_view::npos;
}

class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  void parse(std::vector<Challenge>& out) {
    while (out.size() < max_challenges) {
      skip_separators();
      const std::string_view scheme = take_token();
      if (scheme.empty()) return;
      out.push_back({lower_case(scheme), {}});
      if (!take_spaces()) continue;
      if (!skip_token68() && !take_parameters(out.back())) return;
    }
  }

 private:
  // False when the text cannot be read any further.
  bool take_parameters(Challenge& challenge) {
    for (;;) {
      const std::size_t start = position_;
      const std::string_view name = take_token();
      if (name.empty()) return true;
      take_spaces();
      if (!take('=')) {  // not a parameter: the scheme of the next challenge
        position_ = start;
        return true;
      }
      take_spaces();
      auto value = take_value();
      if (!value || challenge.parameters.size() == max_parameters) return false;
      challenge.parameters.emplace_back(lower_case(name), std::move(*value));
      take_spaces();
      if (!at_end() && text_[position_] != ',') return false;
      skip_separators();
    }
  }

  // "Negotiate YII...=": one opaque word instead of parameters.
  bool skip_token68() {
    std::size_t end = position_;
    while (end < text_.size() && is_token68_char(text_[end])) ++end;
    while (end < text_.size() && text_[end] == '=') ++end;
    std::size_t after = end;
    while (after < text_.size() && (text_[after] == ' ' || text_[after] == '\t')) ++after;
    if (end == position_ || (after < text_.size() && text_[after] != ',')) return false;
    position_ = after;
    return true;
  }

  std::optional<std::string> take_value() {
    if (!take('"')) {
      const std::string_view token = take_token();
      if (token.empty()) return std::nullopt;
      return std::string(token);
    }
    std::string value;
    while (position_ < text_.size()) {
      char c = text_[position_++];
      if (c == '"') return value;
      if (c == '\\') {
        if (position_ == text_.size()) break;
        c = text_[position_++];
      }
      value += c;
    }
    return std::nullopt;
  }

  std::string_view take_token() {
    const std::size_t start = position_;
    while (position_ < text_.size() && is_token_char(text_[position_])) ++position_;
    return text_.substr(start, position_ - start);
  }

  bool take(char c) {
    if (at_end() || text_[position_] != c) return false;
    ++position_;
    return true;
  }

  bool take_spaces() {
    const std::size_t start = position_;
    while (!at_end() && (text_[position_] == ' ' || text_[position_] == '\t')) ++position_;
    return position_ != start;
  }

  void skip_separators() {
    while (!at_end() && std::string_view(" \t,").find(text_[position_]) != std::string_view::npos)
      ++position_;
  }

  bool at_end() const { return position_ >= text_.size(); }

  std::string_view text_;
  std::size_t position_ = 0;
};

}  // namespace

std::string_view Challenge::parameter(std::string_view name) const {
  for (const auto& [key, value] : parameters) {
    if (key == name) return value;
  }
  return {};
}

std::vector<Challenge> parse_challenges(std::span<const std::string_view> header_values) {
  std::vector<Challenge> challenges;
  for (const std::string_view line : header_values) {
    if (line.size() <= max_header_value) Parser(line).parse(challenges);
  }
  return challenges;
}

}  // namespace lade::registry

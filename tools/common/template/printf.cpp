#include <fmt/format.h>

#include <cstdint>

#include "common/go_text.hpp"
#include "common/template/functions.hpp"

namespace lade::common::gotemplate {
namespace {

constexpr std::size_t max_width = 10'000;  // of one verb: a template cannot ask for endless padding

struct Verb {
  bool minus = false, plus = false, sharp = false, space = false, zero = false;
  std::size_t width = 0;
  int precision = -1;
  char32_t letter = 0;
};

std::string bad_verb(const Verb& verb, const Value& value) {
  std::string letter;
  append_utf8(letter, verb.letter);
  if (value.shape() == Shape::any) return fmt::format("%!{}(<nil>)", letter);
  return fmt::format("%!{}({}={})", letter, value.type_name(), value.print());
}

std::string hex_of(std::string_view bytes, bool upper) {
  std::string out;
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    out += upper ? fmt::format("{:02X}", byte) : fmt::format("{:02x}", byte);
  }
  return out;
}

std::string cut(const std::string& text, int precision) {
  if (precision < 0) return text;
  std::size_t at = 0;
  for (int count = 0; count < precision && at < text.size(); ++count) at += decode_utf8(text, at).length;
  return text.substr(0, at);
}

std::string format_text(const Verb& verb, const Value& value) {
  switch (verb.letter) {
    case 's':
    case 'v':
      return verb.letter == 'v' && verb.sharp ? quote(value.text()) : cut(value.print(), verb.precision);
    case 'q': return quote(cut(value.text(), verb.precision));
    case 'x':
    case 'X': return hex_of(value.text(), verb.letter == 'X');
    default: return bad_verb(verb, value);
  }
}

std::string sign_of(const Verb& verb, bool negative) {
  return negative ? "-" : verb.plus ? "+" : verb.space ? " " : "";
}

// Digits that fill the width, if the flag 0 asks for that.
std::string zero_filled(const Verb& verb, std::size_t sign_size, std::string digits) {
  const std::size_t size = sign_size + digits.size();
  if (verb.zero && !verb.minus && verb.width > size) digits.insert(0, verb.width - size, '0');
  return digits;
}

std::string format_integer(const Verb& verb, const Value& value) {
  const std::int64_t number = value.integer();
  const std::uint64_t magnitude =
      number < 0 ? 0 - static_cast<std::uint64_t>(number) : static_cast<std::uint64_t>(number);
  std::string digits;
  switch (verb.letter) {
    case 'd':
    case 'v': digits = fmt::format("{}", magnitude); break;
    case 'b': digits = fmt::format("{:b}", magnitude); break;
    case 'o': digits = fmt::format("{}{:o}", verb.sharp ? "0" : "", magnitude); break;
    case 'x': digits = fmt::format("{}{:x}", verb.sharp ? "0x" : "", magnitude); break;
    case 'X': digits = fmt::format("{}{:X}", verb.sharp ? "0X" : "", magnitude); break;
    case 'U': return fmt::format("U+{:04X}", magnitude);
    case 'c':
    case 'q': {
      std::string character;
      append_utf8(character, magnitude > 0x10ffff ? 0xfffd : static_cast<char32_t>(magnitude));
      return verb.letter == 'c' ? character : "'" + character + "'";
    }
    default: return bad_verb(verb, value);
  }
  const std::string sign = sign_of(verb, number < 0);
  return sign + zero_filled(verb, sign.size(), std::move(digits));
}

std::string format_real(const Verb& verb, const Value& value) {
  const double number = value.real();
  const int precision = verb.precision < 0 ? 6 : std::min(verb.precision, 300);
  const double magnitude = number < 0 ? -number : number;
  std::string digits;
  switch (verb.letter) {
    case 'v':
    case 'g':
      digits = verb.precision < 0 ? print_real(magnitude) : fmt::format("{:.{}g}", magnitude, precision);
      break;
    case 'f':
    case 'F': digits = fmt::format("{:.{}f}", magnitude, precision); break;
    case 'e': digits = fmt::format("{:.{}e}", magnitude, precision); break;
    default: return bad_verb(verb, value);
  }
  const std::string sign = sign_of(verb, number < 0);
  return sign + zero_filled(verb, sign.size(), std::move(digits));
}

std::string format_list(const Verb& verb, const Value& value);

std::string format_value(const Verb& verb, const Value& value) {
  if (verb.letter == 'T') return value.shape() == Shape::any ? "<nil>" : std::string(value.type_name());
  switch (value.shape()) {
    case Shape::string: return format_text(verb, value);
    case Shape::integer: return format_integer(verb, value);
    case Shape::real: return format_real(verb, value);
    case Shape::boolean:
      return verb.letter == 'v' || verb.letter == 't' ? value.print() : bad_verb(verb, value);
    case Shape::list: return format_list(verb, value);
    case Shape::any: return verb.letter == 'v' ? "<nil>" : bad_verb(verb, value);
    case Shape::time:
    case Shape::map:
    case Shape::structure: return value.print();
  }
  return "";
}

std::string format_list(const Verb& verb, const Value& value) {
  std::string out = "[";
  for (std::size_t i = 0; i < value.length(); ++i)
    out += (i == 0 ? "" : " ") + format_value(verb, value.at(i));
  return out + "]";
}

std::size_t code_points(std::string_view text) {
  std::size_t count = 0;
  for (std::size_t at = 0; at < text.size(); at += decode_utf8(text, at).length) ++count;
  return count;
}

std::string pad(const Verb& verb, std::string text) {
  const std::size_t length = code_points(text);
  if (length >= verb.width) return text;
  text.insert(verb.minus ? text.size() : 0, verb.width - length, ' ');
  return text;
}

class Formatter {
 public:
  Formatter(std::string_view format, std::span<const Value> arguments)
      : format_(format), arguments_(arguments) {}

  std::string run() {
    while (at_ < format_.size()) {
      const std::size_t percent = std::min(format_.find('%', at_), format_.size());
      out_ += format_.substr(at_, percent - at_);
      at_ = percent + 1;
      if (percent < format_.size()) directive();
    }
    if (next_ < arguments_.size()) add_extra();
    return std::move(out_);
  }

 private:
  void directive() {
    Verb verb;
    parse_flags(verb);
    verb.width = width(verb);
    if (at_ < format_.size() && format_[at_] == '.') {
      ++at_;
      verb.precision = static_cast<int>(std::min<std::size_t>(number(), max_width));
    }
    if (at_ >= format_.size()) {
      out_ += "%!(NOVERB)";
      return;
    }
    const auto [letter, length] = decode_utf8(format_, at_);
    at_ += length;
    verb.letter = letter;
    if (letter == '%') {
      out_ += '%';
    } else if (next_ >= arguments_.size()) {
      out_ += "%!";
      append_utf8(out_, letter);
      out_ += "(MISSING)";
    } else {
      out_ += pad(verb, format_value(verb, arguments_[next_++]));
    }
  }

  void parse_flags(Verb& verb) {
    for (; at_ < format_.size(); ++at_) {
      switch (format_[at_]) {
        case '-': verb.minus = true; break;
        case '+': verb.plus = true; break;
        case '#': verb.sharp = true; break;
        case ' ': verb.space = true; break;
        case '0': verb.zero = true; break;
        default: return;
      }
    }
  }

  // Digits, or "*": the next argument.
  std::size_t width(Verb& verb) {
    if (at_ >= format_.size() || format_[at_] != '*') return number();
    ++at_;
    if (next_ >= arguments_.size()) return 0;
    const std::int64_t wanted = arguments_[next_++].integer();
    verb.minus = verb.minus || wanted < 0;
    return std::min(static_cast<std::size_t>(wanted < 0 ? -std::max<std::int64_t>(wanted, -10'000) : wanted),
                    max_width);
  }

  std::size_t number() {
    std::size_t value = 0;
    for (; at_ < format_.size() && format_[at_] >= '0' && format_[at_] <= '9'; ++at_) {
      value = std::min(value * 10 + static_cast<std::size_t>(format_[at_] - '0'), max_width);
    }
    return value;
  }

  void add_extra() {
    out_ += "%!(EXTRA ";
    for (std::size_t i = next_; i < arguments_.size(); ++i) {
      out_ += i == next_ ? "" : ", ";
      const Value& value = arguments_[i];
      out_ += value.shape() == Shape::any ? "<nil>" : fmt::format("{}={}", value.type_name(), value.print());
    }
    out_ += ')';
  }

  std::string_view format_;
  std::span<const Value> arguments_;
  std::size_t at_ = 0;
  std::size_t next_ = 0;
  std::string out_;
};

}  // namespace

std::string go_printf(std::string_view format, std::span<const Value> arguments) {
  return Formatter(format, arguments).run();
}

std::string go_print(std::span<const Value> arguments) {
  std::string out;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    // A space only between two operands of which neither is a string.
    if (i > 0 && !arguments[i - 1].is_string() && !arguments[i].is_string()) out += ' ';
    out += arguments[i].print();
  }
  return out;
}

std::string go_println(std::span<const Value> arguments) {
  std::string out;
  for (const Value& argument : arguments) out += (out.empty() ? "" : " ") + argument.print();
  return out + "\n";
}

}  // namespace lade::common::gotemplate

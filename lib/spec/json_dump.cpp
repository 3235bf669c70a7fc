// JSON as Go's encoding/json writes it: bytes of a manifest are its identity, so every choice matters.
#include <array>
#include <charconv>
#include <cmath>
#include <cstdint>

#include "spec/json.hpp"

namespace lade::spec {

namespace {

void append_escape(std::string& out, unsigned code) {
  constexpr std::string_view digits = "0123456789abcdef";
  out += "\\u";
  for (int shift = 12; shift >= 0; shift -= 4) out += digits[(code >> shift) & 0xF];
}

// The length of the valid UTF-8 sequence at the start of text; 0 if there is none (RFC 3629 section 4).
std::size_t utf8_length(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<std::uint8_t>(text[i]); };
  const std::uint8_t first = byte(0);
  const std::size_t length = first < 0x80 ? 1 : first < 0xC2 ? 0 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
  if (length == 0 || first > 0xF4 || text.size() < length) return 0;
  for (std::size_t i = 1; i < length; ++i)
    if ((byte(i) & 0xC0) != 0x80) return 0;
  if (first == 0xE0 && byte(1) < 0xA0) return 0;
  if (first == 0xED && byte(1) > 0x9F) return 0;
  if (first == 0xF0 && byte(1) < 0x90) return 0;
  if (first == 0xF4 && byte(1) > 0x8F) return 0;
  return length;
}

void append_ascii(std::string& out, char c) {
  switch (c) {
    case '"': out += "\\\""; return;
    case '\\': out += "\\\\"; return;
    case '\n': out += "\\n"; return;
    case '\r': out += "\\r"; return;
    case '\t': out += "\\t"; return;
    case '<':
    case '>':
    case '&': append_escape(out, static_cast<unsigned>(c)); return;
    default: break;
  }
  if (static_cast<unsigned char>(c) < 0x20)
    append_escape(out, static_cast<unsigned>(c));
  else
    out += c;
}

void append_string(std::string& out, std::string_view text) {
  out += '"';
  while (!text.empty()) {
    const std::size_t length = utf8_length(text);
    const std::string_view character = text.substr(0, length == 0 ? 1 : length);
    if (length == 0)
      out += "\\ufffd";
    else if (length == 1)
      append_ascii(out, text[0]);
    else if (character == "\xE2\x80\xA8" || character == "\xE2\x80\xA9")
      append_escape(out, character.back() == '\xA8' ? 0x2028 : 0x2029);
    else
      out += character;
    text.remove_prefix(character.size());
  }
  out += '"';
}

// Go writes exponents without leading zeros: 1e-07 becomes 1e-7. A negative zero would not read back as a
// float.
void append_float(std::string& out, double value) {
  if (value == 0) value = 0;
  const double size = std::fabs(value);
  const bool scientific = size != 0 && (size < 1e-6 || size >= 1e21);
  std::array<char, 400> buffer{};
  const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value,
                                 scientific ? std::chars_format::scientific : std::chars_format::fixed)
                       .ptr;
  std::string text(buffer.data(), end);
  if (text.size() >= 4 && text[text.size() - 4] == 'e' && text[text.size() - 2] == '0')
    text.erase(text.size() - 2, 1);
  out += text;
}

class Writer {
 public:
  Writer(std::string& out, int indent) : out_(out), indent_(indent) {}

  void write(const Json& value) {
    switch (value.type()) {
      case Json::value_t::object: write_object(value.get_ref<const Json::object_t&>()); break;
      case Json::value_t::array: write_array(value.get_ref<const Json::array_t&>()); break;
      case Json::value_t::string: append_string(out_, value.get_ref<const Json::string_t&>()); break;
      case Json::value_t::boolean: out_ += value.get<bool>() ? "true" : "false"; break;
      case Json::value_t::number_integer: out_ += std::to_string(value.get<std::int64_t>()); break;
      case Json::value_t::number_unsigned: out_ += std::to_string(value.get<std::uint64_t>()); break;
      case Json::value_t::number_float: append_float(out_, value.get<double>()); break;
      case Json::value_t::null:
      case Json::value_t::binary:
      case Json::value_t::discarded: out_ += "null"; break;
    }
  }

 private:
  void write_object(const Json::object_t& object) {
    write_elements('{', '}', object, [&](const auto& member) {
      append_string(out_, member.first);
      out_ += indent_ > 0 ? ": " : ":";
      write(member.second);
    });
  }

  void write_array(const Json::array_t& array) {
    write_elements('[', ']', array, [&](const Json& element) { write(element); });
  }

  template <class Elements, class Fn>
  void write_elements(char open, char close, const Elements& elements, const Fn& write_one) {
    out_ += open;
    ++depth_;
    bool first = true;
    for (const auto& element : elements) {
      if (!first) out_ += ',';
      first = false;
      new_line();
      write_one(element);
    }
    --depth_;
    if (!first) new_line();
    out_ += close;
  }

  void new_line() {
    if (indent_ <= 0) return;
    out_ += '\n';
    out_.append(depth_ * static_cast<std::size_t>(indent_), ' ');
  }

  std::string& out_;
  int indent_;
  std::size_t depth_ = 0;
};

}  // namespace

std::string dump_json(const Json& value, int indent) {
  std::string out;
  Writer(out, indent).write(value);
  return out;
}

}  // namespace lade::spec

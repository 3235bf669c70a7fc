#include "transport/oci/layout_name.hpp"

#include <algorithm>
#include <charconv>

#include "base/error.hpp"

namespace lade::transport::oci {

namespace {

bool is_alphanumeric(char c) {
  return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

// alphanum (separator alphanum)*, where a separator is one of "-._:@+" or "--"; such parts joined by '/'.
// In other words: between letters and digits stands nothing else, and at the ends nothing at all.
bool is_image_name(std::string_view name) {
  constexpr std::string_view separators = "-._:@+/";
  while (true) {
    const auto word =
        static_cast<std::size_t>(std::find_if_not(name.begin(), name.end(), is_alphanumeric) - name.begin());
    if (word == 0) return false;
    name.remove_prefix(word);
    if (name.empty()) return true;
    if (separators.find(name.front()) == std::string_view::npos) return false;
    name.remove_prefix(name.starts_with("--") ? 2 : 1);
  }
}

std::size_t parse_index(std::string_view text) {
  long long value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const std::string prefix = "Invalid source index @" + std::string(text);
  if (error != std::errc() || end != text.data() + text.size()) {
    throw Error(Kind::invalid_input, prefix + ": not an integer");
  }
  if (value < 0) throw Error(Kind::invalid_input, prefix + ": must not be negative");
  return static_cast<std::size_t>(value);
}

}  // namespace

std::string LayoutName::str() const {
  return path + ":" + (index ? "@" + std::to_string(*index) : image);
}

LayoutName parse_layout_name(std::string_view text, bool with_index) {
  const auto colon = std::min(text.find(':'), text.size());
  LayoutName name{std::string(text.substr(0, colon)), "", std::nullopt};
  const auto image = text.substr(std::min(colon + 1, text.size()));
  if (with_index && image.starts_with('@')) {
    name.index = parse_index(image.substr(1));
  } else if (!image.empty() && !is_image_name(image)) {
    throw Error(Kind::invalid_input, "Invalid image " + std::string(image));
  } else {
    name.image = image;
  }
  return name;
}

}  // namespace lade::transport::oci

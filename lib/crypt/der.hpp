// A reader of DER (X.690), as far as EnvelopedData needs it. Nothing is copied; nothing is trusted.
#pragma once

#include <cstdint>
#include <string_view>

namespace lade::crypt {

namespace der {
inline constexpr std::uint8_t integer = 0x02, octet_string = 0x04, object_identifier = 0x06, sequence = 0x30,
                              set = 0x31;
constexpr std::uint8_t context(std::uint8_t number) {
  return static_cast<std::uint8_t>(0xA0 | number);
}
constexpr std::uint8_t context_primitive(std::uint8_t number) {
  return static_cast<std::uint8_t>(0x80 | number);
}
}  // namespace der

class DerReader {
 public:
  explicit DerReader(std::string_view bytes) : rest_(bytes) {}

  bool at_end() const { return rest_.empty(); }
  // The tag of the next element; 0 at the end.
  std::uint8_t next_tag() const { return rest_.empty() ? 0 : static_cast<std::uint8_t>(rest_.front()); }

  struct Element {
    std::uint8_t tag;
    std::string_view content, whole;
  };
  // Kind::invalid_input for tags of several bytes, indefinite lengths, and lengths past the end.
  Element read();
  // The same, if it has this tag; Kind::invalid_input otherwise.
  std::string_view read(std::uint8_t tag);

 private:
  std::string_view rest_;
};

}  // namespace lade::crypt

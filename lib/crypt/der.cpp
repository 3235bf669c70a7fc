#include "crypt/der.hpp"

#include "base/error.hpp"

namespace lade::crypt {

namespace {

[[noreturn]] void refuse_der(const char* reason) {
  throw Error(Kind::invalid_input, std::string("DER: ") + reason);
}

}  // namespace

DerReader::Element DerReader::read() {
  if (rest_.size() < 2) refuse_der("an element ends early");
  const auto tag = static_cast<std::uint8_t>(rest_[0]);
  if ((tag & 0x1F) == 0x1F) refuse_der("a tag has several bytes");
  std::size_t length = static_cast<std::uint8_t>(rest_[1]), head = 2;
  if (length >= 0x80) {
    const std::size_t count = length & 0x7F;
    if (count == 0) refuse_der("lengths are indefinite");
    if (count > 4 || rest_.size() < head + count) refuse_der("a length is too long");
    length = 0;
    for (; head < 2 + count; ++head) length = length << 8 | static_cast<std::uint8_t>(rest_[head]);
  }
  if (length > rest_.size() - head) refuse_der("an element is longer than what there is");
  const Element element{tag, rest_.substr(head, length), rest_.substr(0, head + length)};
  rest_.remove_prefix(head + length);
  return element;
}

std::string_view DerReader::read(std::uint8_t tag) {
  if (next_tag() != tag) refuse_der("an element of another type is expected");
  return read().content;
}

}  // namespace lade::crypt

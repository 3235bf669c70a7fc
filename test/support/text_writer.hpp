#pragma once

#include <string>

#include "io/stream.hpp"

namespace lade::test {

// Keeps what is written.
class TextWriter final : public io::Writer {
 public:
  void write(io::Bytes data) override { text += io::as_text(data); }
  std::string text;
};

}  // namespace lade::test

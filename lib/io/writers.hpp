// Small Writers.
#pragma once

#include <cstdint>
#include <string>

#include "io/digester.hpp"
#include "io/stream.hpp"

namespace lade::io {

// Drops everything.
class NullWriter final : public Writer {
 public:
  void write(Bytes) override {}
};

// Appends to a text that it does not own.
class TextAppender final : public Writer {
 public:
  explicit TextAppender(std::string& text) : text_(text) {}
  void write(Bytes data) override { text_ += as_text(data); }

 private:
  std::string& text_;
};

// Passes bytes on to a writer that it does not own; digest and length of what passed.
class DigestingWriter final : public Writer {
 public:
  explicit DigestingWriter(Writer& out) : out_(out) {}
  void write(Bytes data) override {
    digester_.update(data);
    count_ += data.size();
    out_.write(data);
  }
  std::uint64_t count() const { return count_; }
  // Call once.
  spec::Digest finish() { return digester_.finish(); }

 private:
  Writer& out_;
  Digester digester_;
  std::uint64_t count_ = 0;
};

}  // namespace lade::io

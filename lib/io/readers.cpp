#include "io/readers.hpp"

#include <algorithm>

#include "base/error.hpp"

namespace lade::io {

namespace {

[[noreturn]] void throw_size_mismatch(std::uint64_t expected, std::uint64_t got) {
  throw Error(Kind::integrity, "expected " + std::to_string(expected) + " bytes, got " + std::to_string(got));
}

}  // namespace

VerifyingReader::VerifyingReader(Reader& inner, spec::Digest digest, std::optional<std::uint64_t> size)
    : inner_(inner), expected_(std::move(digest)), size_(size), digester_(expected_.algorithm()) {}

std::size_t VerifyingReader::read(Buffer buffer) {
  const std::size_t count = inner_.read(buffer);
  count_ += count;
  if (count != 0) {
    if (size_ && count_ > *size_) throw_size_mismatch(*size_, count_);
    digester_.update(buffer.first(count));
    return count;
  }
  if (size_ && count_ != *size_) throw_size_mismatch(*size_, count_);
  const spec::Digest got = digester_.finish();
  if (got != expected_) {
    throw Error(Kind::integrity, "Digest did not match, expected " + expected_.str() + ", got " + got.str());
  }
  return 0;
}

DigestingReader::DigestingReader(Reader& inner, spec::Digest::Algorithm algorithm)
    : inner_(inner), digester_(algorithm) {}

std::size_t DigestingReader::read(Buffer buffer) {
  const std::size_t count = inner_.read(buffer);
  digester_.update(buffer.first(count));
  count_ += count;
  return count;
}

LimitedReader::LimitedReader(Reader& inner, std::uint64_t limit, std::string_view what)
    : inner_(inner), limit_(limit), what_(what) {}

std::size_t LimitedReader::read(Buffer buffer) {
  const std::size_t count = inner_.read(buffer);
  count_ += count;
  if (count_ > limit_) {
    throw Error(Kind::invalid_input, what_ + " is larger than " + std::to_string(limit_) + " bytes");
  }
  return count;
}

std::size_t SectionReader::read(Buffer buffer) {
  if (left_ == 0) return 0;
  const std::size_t count = inner_.read(buffer.first(std::min<std::uint64_t>(buffer.size(), left_)));
  if (count == 0) {
    throw Error(Kind::integrity,
                "unexpected end of the stream, " + std::to_string(left_) + " bytes are missing");
  }
  left_ -= count;
  return count;
}

std::size_t TeeReader::read(Buffer buffer) {
  const std::size_t count = inner_.read(buffer);
  if (count != 0) copy_.write(buffer.first(count));
  return count;
}

std::size_t ProgressReader::read(Buffer buffer) {
  context_.throw_if_stopped();
  const std::size_t count = inner_.read(buffer);
  transfer_.advance(count);
  return count;
}

}  // namespace lade::io

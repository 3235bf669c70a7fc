// Decorators: each wraps a Reader it does not own and adds one thing. Declare them as consecutive
// objects on the stack, so that a pipeline reads from top to bottom.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <optional>

#include "base/context.hpp"
#include "io/digester.hpp"
#include "io/stream.hpp"

namespace lade::io {

// Passes bytes on and throws Kind::integrity when the stream ends early, runs past `size`, or does not match
// `digest`: the last bytes are never handed over together with a clean end unless everything matched.
// Text: "Digest did not match, expected <D>, got <D>"; "expected N bytes, got M".
class VerifyingReader final : public Reader {
 public:
  VerifyingReader(Reader& inner, spec::Digest digest, std::optional<std::uint64_t> size);
  std::size_t read(Buffer buffer) override;

 private:
  Reader& inner_;
  spec::Digest expected_;
  std::optional<std::uint64_t> size_;
  Digester digester_;
  std::uint64_t count_ = 0;
};

// Digest and length of what passed.
class DigestingReader final : public Reader {
 public:
  explicit DigestingReader(Reader& inner,
                           spec::Digest::Algorithm algorithm = spec::Digest::Algorithm::sha256);
  std::size_t read(Buffer buffer) override;
  std::uint64_t count() const { return count_; }
  // Valid after the end was read; call once.
  spec::Digest finish() { return digester_.finish(); }

 private:
  Reader& inner_;
  Digester digester_;
  std::uint64_t count_ = 0;
};

// Kind::invalid_input "<what> is larger than N bytes" once more than limit bytes have passed.
class LimitedReader final : public Reader {
 public:
  LimitedReader(Reader& inner, std::uint64_t limit, std::string_view what);
  std::size_t read(Buffer buffer) override;

 private:
  Reader& inner_;
  std::uint64_t limit_;
  std::string what_;
  std::uint64_t count_ = 0;
};

// Ends after exactly `size` bytes of inner; Kind::integrity if inner ends before.
class SectionReader final : public Reader {
 public:
  SectionReader(Reader& inner, std::uint64_t size) : inner_(inner), left_(size) {}
  std::size_t read(Buffer buffer) override;
  std::uint64_t left() const { return left_; }

 private:
  Reader& inner_;
  std::uint64_t left_;
};

// Writes what passes into `copy`.
class TeeReader final : public Reader {
 public:
  TeeReader(Reader& inner, Writer& copy) : inner_(inner), copy_(copy) {}
  std::size_t read(Buffer buffer) override;

 private:
  Reader& inner_;
  Writer& copy_;
};

// Reports progress and throws Cancelled when the context is stopped.
class ProgressReader final : public Reader {
 public:
  ProgressReader(Reader& inner, const Context& context, Transfer& transfer)
      : inner_(inner), context_(context), transfer_(transfer) {}
  std::size_t read(Buffer buffer) override;

 private:
  Reader& inner_;
  const Context& context_;
  Transfer& transfer_;
};

// Lends a Reader to functions that take ownership of theirs, and may be read again after the end. `ended`,
// which MUST outlive it, tells whether the end was seen.
class BorrowedReader final : public Reader {
 public:
  explicit BorrowedReader(Reader& inner) : BorrowedReader(inner, own_ended_) {}
  BorrowedReader(Reader& inner, bool& ended) : inner_(inner), ended_(ended) {}
  BorrowedReader(const BorrowedReader&) = delete;
  BorrowedReader& operator=(const BorrowedReader&) = delete;
  std::size_t read(Buffer buffer) override {
    if (ended_) return 0;
    const std::size_t count = inner_.read(buffer);
    ended_ = count == 0;
    return count;
  }

 private:
  Reader& inner_;
  bool own_ended_ = false;
  bool& ended_;
};

}  // namespace lade::io

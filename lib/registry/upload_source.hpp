// The bytes of a blob on their way to a registry.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "io/digester.hpp"
#include "io/stream.hpp"
#include "spec/digest.hpp"

namespace lade::registry {

// Counts and digests what it reads, refuses what does not match (Kind::integrity), and keeps the beginning as
// long as it is short, so that an upload that fails early can start over.
class UploadSource final : public io::Reader {
 public:
  // Most bytes that are kept.
  static constexpr std::size_t replay_limit = 2 * 1024 * 1024;

  UploadSource(io::Reader& inner, std::optional<spec::Digest> digest, std::optional<std::uint64_t> size);
  std::size_t read(io::Buffer buffer) override;

  // Goes back to the first byte; false when more was read than is kept, or reading failed.
  bool rewind();
  // Reads what is left, which must be nothing, and returns the digest of everything. Call once.
  spec::Digest finish();

  std::uint64_t count() const { return count_; }
  std::optional<std::uint64_t> size() const { return size_; }
  // True when reading `inner`, not the registry, was what went wrong.
  bool failed() const { return failed_; }

 private:
  std::size_t read_inner(io::Buffer buffer);
  void keep(io::Bytes data);
  void check_end();

  io::Reader& inner_;
  std::optional<spec::Digest> expected_;
  std::optional<std::uint64_t> size_;
  io::Digester digester_;
  std::optional<spec::Digest> digest_;  // once the end was read
  std::uint64_t count_ = 0;
  std::string kept_;
  bool keeping_ = true;
  std::size_t position_ = 0;  // in kept_, while replaying
  bool failed_ = false;
};

}  // namespace lade::registry

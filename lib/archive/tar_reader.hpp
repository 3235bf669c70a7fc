// Reads tar archives as a stream: ustar, v7, star, pax ('x', 'g'), GNU long names ('L', 'K'), base-256
// numbers and sparse files in all four formats. Memory is bounded whatever the archive says.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "archive/tar_header.hpp"
#include "archive/tar_sparse.hpp"
#include "io/stream.hpp"

namespace lade::archive {

// A stream that can leave bytes out without moving them.
class SkippingReader : public io::Reader {
 public:
  // Kind::integrity if fewer than `size` bytes are left.
  virtual void skip(std::uint64_t size) = 0;
};

class TarReader final : public io::Reader {
 public:
  struct Options {
    // Of one extended header, long name or sparse map (Go's archive/tar: 1 MiB).
    std::uint64_t max_extension = 1 << 20;
    // Keeps the bytes that are not content, for take_raw().
    bool keep_raw = false;
  };

  // `inner` is not owned. A SkippingReader is skipped in where content is not asked for.
  TarReader(io::Reader& inner, Options options);
  TarReader(SkippingReader& inner, Options options);
  explicit TarReader(io::Reader& inner) : TarReader(inner, Options()) {}
  explicit TarReader(SkippingReader& inner) : TarReader(inner, Options()) {}

  // The next member; content that was not read is skipped. nullptr at the end: two zero blocks, or the end
  // of the stream. Valid until the next call. Kind::invalid_input "invalid tar header: ...",
  // Kind::integrity "unexpected end of tar archive". Records of a global header are handed out as an entry of
  // their own and, as in every other container engine, not applied to the entries that follow.
  const TarEntry* next();

  // Content of the member, holes of sparse files filled with zeros.
  std::size_t read(io::Buffer buffer) override;

  // The same as it is stored: of a sparse file the data only. Not to be mixed with read().
  std::size_t read_stored(io::Buffer buffer) { return stored_.read(buffer); }

  // Headers, extensions and padding since the last call, as they stand in the stream (needs keep_raw).
  std::string take_raw() { return std::exchange(raw_, {}); }

 private:
  // What the extension headers before a member say about it.
  struct Extensions {
    PaxRecords pax;
    std::optional<std::string> long_name;
    std::optional<std::string> long_link;
  };

  // Stored bytes of the current member, counted.
  class Stored final : public io::Reader {
   public:
    explicit Stored(TarReader& tar) : tar_(tar) {}
    std::size_t read(io::Buffer buffer) override;

   private:
    TarReader& tar_;
  };

  void finish_member();
  void skip(std::uint64_t size);
  bool read_block(TarBlock& block);
  TarBlock need_block();
  std::optional<TarBlock> next_header();
  std::string read_extension(std::uint64_t size);
  void begin_member(const TarBlock& block, Extensions& extensions);
  void begin_sparse(const TarBlock& block, PaxRecords& pax);
  std::vector<SparseExtent> read_gnu_map(const TarBlock& block);
  std::vector<SparseExtent> read_pax_map();

  io::Reader& inner_;
  SkippingReader* skipping_ = nullptr;
  Options options_;
  TarEntry entry_;
  Stored stored_{*this};
  std::optional<SparseReader> sparse_;
  std::uint64_t offset_ = 0;   // in the stream
  std::uint64_t left_ = 0;     // stored bytes of the member not read yet
  std::uint64_t padding_ = 0;  // after them
  bool ended_ = false;
  std::string raw_;
};

}  // namespace lade::archive

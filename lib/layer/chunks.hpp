// Buffers that go from thread to thread: filled, unpacked, hashed, and filled again.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include "archive/tar_reader.hpp"
#include "archive/tar_split.hpp"
#include "io/stream.hpp"

namespace lade::layer {

inline constexpr std::size_t chunk_capacity = 512 * 1024;
// Of one layer, together 6 MiB.
inline constexpr std::size_t max_chunks = 12;

struct Chunk {
  Chunk() : bytes(std::make_unique_for_overwrite<std::byte[]>(chunk_capacity)) {}

  io::Buffer room() { return {bytes.get(), chunk_capacity}; }
  io::Bytes data() const { return {bytes.get(), size}; }

  std::unique_ptr<std::byte[]> bytes;
  std::size_t size = 0;
  // Members the headers of which end in this chunk.
  std::vector<archive::TarSplitFile> files;
};

using ChunkPtr = std::unique_ptr<Chunk>;

// What a thread throws when another one failed: never the cause, never shown.
class Abandoned : public std::exception {};

// Chunks in order, from one thread to one other. The number of chunks is bounded, so the queue is.
class ChunkQueue {
 public:
  void push(ChunkPtr chunk);
  // nullptr after close(), when all was taken.
  ChunkPtr pop();
  // nullptr if there is none at the moment.
  ChunkPtr try_pop();
  void close();
  // From now on, push and pop throw Abandoned.
  void abandon();

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<ChunkPtr> chunks_;
  bool closed_ = false;
  bool abandoned_ = false;
};

// The tar as the unpacking thread sees it: contents are taken out of the chunks without a copy. Chunks that
// were read go on to the next queue.
class ChunkReader final : public archive::SkippingReader {
 public:
  // The queues are not owned.
  ChunkReader(ChunkQueue& from, ChunkQueue& to) : from_(from), to_(to) {}

  std::size_t read(io::Buffer buffer) override;
  void skip(std::uint64_t size) override;

  // What is next, at least a byte; empty at the end of the stream.
  io::Bytes peek();
  // Steps over bytes of peek(). They count as skipped: the next skip() leaves out that many fewer.
  void take(std::size_t count);

  // For whoever splits the tar.
  void announce(archive::TarSplitFile file) { current_->files.push_back(std::move(file)); }
  // Passes on all the rest, and the end.
  void finish();

 private:
  ChunkQueue& from_;
  ChunkQueue& to_;
  ChunkPtr current_;
  std::size_t position_ = 0;
  std::uint64_t taken_ = 0;
};

}  // namespace lade::layer

// What a partial pull of a zstd:chunked layer takes from where.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "io/byte_range.hpp"
#include "layer/chunked_toc.hpp"

namespace lade::layer {

// Where content is said to be on this machine; whoever reads it checks the digest.
struct LocalContent {
  std::size_t tree = 0;  // as numbered by who found it
  std::string path;
  std::uint64_t offset = 0;
};

class LocalContents {
 public:
  virtual ~LocalContents() = default;
  virtual std::optional<LocalContent> find(const spec::Digest& digest, std::uint64_t size) const = 0;
};

struct PullPiece {
  enum class From { blob, local, zeros };
  From from = From::blob;
  std::uint64_t size = 0;  // uncompressed
  spec::Digest digest;
  io::ByteRange blob{};  // From::blob: zstd frames
  LocalContent local{};  // From::local
};

struct PulledFile {
  std::uint64_t size = 0;
  spec::Digest digest;
  std::vector<PullPiece> pieces;
};

struct PullPlan {
  std::unordered_map<std::string, PulledFile> files;  // by their names in the tar
  std::vector<io::ByteRange> ranges;                  // of the blob, in order, apart; all pieces are in them
  std::uint64_t content_size = 0, local_size = 0;     // of all files; of what is local, or zeros
  std::uint64_t fetched_size() const;
};

struct PlanLimits {
  // Ranges nearer to each other than this become one: a request costs more.
  std::uint64_t gap = 8 * 1024;
  std::size_t ranges = 1024;
};

// Joins ranges, which MUST be in order and apart: near ones, then, while there are more than the limit, those
// with the least between them.
std::vector<io::ByteRange> join_ranges(const std::vector<io::ByteRange>& ranges, const PlanLimits& limits);

// Takes files in the order of the TOC.
class PullPlanner {
 public:
  explicit PullPlanner(const LocalContents& local) : local_(local) {}
  // Kind::invalid_input for a name that was there, and for a file that lies before the one before it: the
  // pull is one pass over the blob.
  void add(TocFile&& file);
  PullPlan finish(const PlanLimits& limits = {});

 private:
  void add_chunk(const TocChunk& chunk, PulledFile& file);

  const LocalContents& local_;
  PullPlan plan_;
  std::uint64_t blob_position_ = 0;
};

}  // namespace lade::layer

#include "layer/chunked_plan.hpp"

#include <algorithm>

#include "base/error.hpp"

namespace lade::layer {

namespace {

// Joins neighbours with at most `gap` bytes between them.
std::vector<io::ByteRange> join_near(const std::vector<io::ByteRange>& ranges, std::uint64_t gap) {
  std::vector<io::ByteRange> result;
  for (const io::ByteRange& range : ranges) {
    if (!result.empty() && range.offset - result.back().end() <= gap)
      result.back().size = range.end() - result.back().offset;
    else
      result.push_back(range);
  }
  return result;
}

}  // namespace

std::uint64_t PullPlan::fetched_size() const {
  std::uint64_t sum = 0;
  for (const io::ByteRange& range : ranges) sum += range.size;
  return sum;
}

std::vector<io::ByteRange> join_ranges(const std::vector<io::ByteRange>& ranges, const PlanLimits& limits) {
  auto result = join_near(ranges, limits.gap);
  if (result.size() <= limits.ranges) return result;
  std::vector<std::uint64_t> gaps;
  for (std::size_t i = 1; i < result.size(); ++i) gaps.push_back(result[i].offset - result[i - 1].end());
  const auto too_many = static_cast<std::ptrdiff_t>(result.size() - limits.ranges);
  std::ranges::nth_element(gaps, gaps.begin() + (too_many - 1));
  return join_near(result, gaps[static_cast<std::size_t>(too_many - 1)]);
}

void PullPlanner::add(TocFile&& file) {
  PulledFile pulled{file.size, file.digest, {}};
  if (file.chunks.front().blob_offset < blob_position_)
    throw Error(Kind::invalid_input, "the files of the TOC are not in order");
  blob_position_ = file.chunks.back().blob_offset + file.chunks.back().blob_size;
  plan_.content_size += file.size;
  if (auto found = local_.find(file.digest, file.size)) {
    plan_.local_size += file.size;
    pulled.pieces.push_back({PullPiece::From::local, file.size, file.digest, {}, std::move(*found)});
  } else {
    for (const TocChunk& chunk : file.chunks) add_chunk(chunk, pulled);
  }
  if (!plan_.files.emplace(std::move(file.name), std::move(pulled)).second)
    throw Error(Kind::invalid_input, "the TOC has two files of one name");
}

void PullPlanner::add_chunk(const TocChunk& chunk, PulledFile& file) {
  PullPiece piece{PullPiece::From::blob, chunk.size, chunk.digest, {}, {}};
  if (chunk.is_hole) {
    piece.from = PullPiece::From::zeros;
    plan_.local_size += chunk.size;
  } else if (auto found = local_.find(chunk.digest, chunk.size)) {
    piece.from = PullPiece::From::local;
    piece.local = std::move(*found);
    plan_.local_size += chunk.size;
  } else {
    piece.blob = {chunk.blob_offset, chunk.blob_size};
    plan_.ranges.push_back(piece.blob);
  }
  file.pieces.push_back(std::move(piece));
}

PullPlan PullPlanner::finish(const PlanLimits& limits) {
  plan_.ranges = join_ranges(plan_.ranges, limits);
  return std::move(plan_);
}

}  // namespace lade::layer

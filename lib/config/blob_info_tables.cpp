#include "config/blob_info_tables.hpp"

#include <algorithm>

namespace lade::config {

namespace {

struct Ranked {
  BlobCandidate candidate;
  int group = 0;  // 0: the digest asked for, 1: other forms of it, 2: its uncompressed form
  double time = 0;
};

bool comes_first(const Ranked& a, const Ranked& b) {
  if (a.group != b.group) return a.group < b.group;
  if (a.time != b.time) return a.time > b.time;
  return a.candidate.digest < b.candidate.digest;
}

void add_candidates(BlobInfoTables& tables, const BlobPlace& place, const spec::Digest& digest, int group,
                    std::vector<Ranked>& known, std::vector<Ranked>& unknown) {
  const auto compressor = tables.find_compressor(digest).value_or(std::string(compressor_unknown));
  const auto locations = tables.locations(place, digest);
  for (const auto& found : locations)
    known.push_back({{digest, compressor, found.location}, group, found.time});
  if (locations.empty()) unknown.push_back({{digest, compressor, std::nullopt}, group, 0});
}

void append_best(std::vector<Ranked> ranked, std::size_t count, std::vector<BlobCandidate>& result) {
  std::ranges::stable_sort(ranked, comes_first);
  for (std::size_t i = 0; i < std::min(count, ranked.size()); ++i)
    result.push_back(std::move(ranked[i].candidate));
}

}  // namespace

std::optional<spec::Digest> MemoryTables::find_uncompressed(const spec::Digest& any) {
  const auto found = uncompressed_.find(any);
  return found == uncompressed_.end() ? std::nullopt : std::optional(found->second);
}

std::set<spec::Digest> MemoryTables::compressed_of(const spec::Digest& uncompressed) {
  const auto found = compressed_.find(uncompressed);
  return found == compressed_.end() ? std::set<spec::Digest>() : found->second;
}

std::optional<std::string> MemoryTables::find_compressor(const spec::Digest& any) {
  const auto found = compressors_.find(any);
  return found == compressors_.end() ? std::nullopt : std::optional(found->second);
}

std::vector<KnownLocation> MemoryTables::locations(const BlobPlace& place, const spec::Digest& digest) {
  std::vector<KnownLocation> result;
  if (const auto found = locations_.find({place, digest}); found != locations_.end())
    for (const auto& [location, time] : found->second) result.push_back({location, time});
  return result;
}

void MemoryTables::add_location(const BlobPlace& place, const spec::Digest& digest,
                                const std::string& location) {
  locations_[{place, digest}][location] = ++now_;
}

void MemoryTables::add_pair(const spec::Digest& any, const spec::Digest& uncompressed) {
  if (const auto before = find_uncompressed(any)) compressed_[*before].erase(any);
  uncompressed_.insert_or_assign(any, uncompressed);
  compressed_[uncompressed].insert(any);
}

void MemoryTables::set_compressor(const spec::Digest& any, const std::string& compressor) {
  compressors_[any] = compressor;
}

std::optional<spec::Digest> known_uncompressed(BlobInfoTables& tables, const spec::Digest& any) {
  if (auto recorded = tables.find_uncompressed(any)) return recorded;
  return tables.compressed_of(any).empty() ? std::nullopt : std::optional(any);
}

std::vector<BlobCandidate> choose_candidates(BlobInfoTables& tables, const BlobPlace& place,
                                             const spec::Digest& digest,
                                             const BlobInfoCache::CandidateOptions& options) {
  std::vector<Ranked> known, unknown;
  add_candidates(tables, place, digest, 0, known, unknown);
  unknown.clear();  // the caller has looked for the blob itself
  const auto uncompressed = options.can_substitute ? known_uncompressed(tables, digest) : std::nullopt;
  if (uncompressed) {
    auto others = tables.compressed_of(*uncompressed);
    others.insert(*uncompressed);
    others.erase(digest);
    for (const auto& other : others)
      add_candidates(tables, place, other, other == *uncompressed ? 2 : 1, known, unknown);
  }
  std::vector<BlobCandidate> result;
  append_best(std::move(known), options.max_known, result);
  const std::size_t left = options.max_known - std::min(options.max_known, result.size());
  append_best(std::move(unknown), std::min(options.max_unknown, left), result);
  return result;
}

}  // namespace lade::config

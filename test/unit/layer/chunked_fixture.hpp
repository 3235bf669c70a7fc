// zstd:chunked blobs for tests.
#pragma once

#include <map>
#include <string>

#include "fixture.hpp"
#include "io/codec/codec.hpp"
#include "io/digester.hpp"
#include "layer/chunked_compressor.hpp"
#include "layer/chunked_plan.hpp"
#include "layer/chunked_reader.hpp"
#include "layer/chunked_toc.hpp"

namespace lade::test {

struct ChunkedBlob {
  explicit ChunkedBlob(const std::string& tar, std::size_t step = 100'000, int level = 3) {
    layer::ChunkedCompressor compressor(std::make_unique<SlowReader>(tar, step), level);
    bytes = read_text(compressor);
    annotations = compressor.annotations();
  }

  layer::TocPosition position() const { return layer::find_toc_position(annotations).value(); }
  std::string part(const layer::TocPart& part) const { return bytes.substr(part.offset, part.size); }
  std::string toc() const {
    return layer::unpack_toc(part(position().toc), layer::find_toc_digest(annotations).value(),
                             position().toc.plain_size);
  }
  layer::PackedTarSplit tar_split() const {
    return {part(*position().tar_split), position().tar_split->plain_size};
  }
  std::vector<layer::TocFile> files() const {
    std::vector<layer::TocFile> result;
    layer::parse_toc(toc(), position().toc.offset,
                     [&](layer::TocFile&& file) { result.push_back(std::move(file)); });
    return result;
  }

  std::string bytes;
  spec::Annotations annotations;
};

inline std::string unpacked(const std::string& zstd) {
  const auto plain = io::decompress(io::make_text_reader(zstd), io::Compression::zstd);
  return read_text(*plain);
}

// Contents by their digests.
class KnownContents final : public layer::LocalContents {
 public:
  void add(const std::string& content) { known_.emplace(io::digest_of(content), content); }
  // What is said to have this digest.
  void add(const spec::Digest& digest, const std::string& content) { known_.emplace(digest, content); }

  std::optional<layer::LocalContent> find(const spec::Digest& digest, std::uint64_t size) const override {
    const auto found = known_.find(digest);
    if (found == known_.end() || found->second.size() != size) return std::nullopt;
    return layer::LocalContent{0, digest.str(), 0};
  }
  std::unique_ptr<io::Reader> open(const layer::LocalContent& content) const {
    return io::make_text_reader(known_.at(spec::Digest::parse(content.path)));
  }

 private:
  std::map<spec::Digest, std::string> known_;
};

inline layer::PullPlan plan_of(const std::vector<layer::TocFile>& files, const layer::LocalContents& local,
                               const layer::PlanLimits& limits = {}) {
  layer::PullPlanner planner(local);
  for (auto file : files) planner.add(std::move(file));
  return planner.finish(limits);
}

inline std::string parts_of(const std::string& blob, const std::vector<io::ByteRange>& parts) {
  std::string result;
  for (const auto& part : parts) result += blob.substr(part.offset, part.size);
  return result;
}

// The tar again, of the blob and what is known.
inline std::string assembled(const ChunkedBlob& blob, layer::PullPlan plan, const KnownContents& known) {
  auto parts = io::make_text_reader(parts_of(blob.bytes, plan.ranges));
  layer::ChunkedReader reader(blob.tar_split(), std::move(plan), std::move(parts),
                              [&](const layer::LocalContent& content) { return known.open(content); });
  return read_text(reader);
}

}  // namespace lade::test

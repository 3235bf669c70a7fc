#include "config/blob_info_cache.hpp"

#include <doctest/doctest.h>

#include <thread>

#include "base/context.hpp"
#include "fixture.hpp"

using namespace lade;
using namespace lade::config;
using spec::Digest;

namespace {

Digest digest(char c) {
  return Digest::from_hex(Digest::Algorithm::sha256, std::string(64, c));
}

// "a@repo b@? " for candidates: the digest's letter and the location.
std::string text_of(const std::vector<BlobCandidate>& candidates) {
  std::string result;
  for (const auto& candidate : candidates)
    result += candidate.digest.hex().substr(0, 1) + "@" + candidate.location.value_or("?") + " ";
  return result;
}

std::string candidates(BlobInfoCache& cache, char c, bool substitute = false) {
  BlobInfoCache::CandidateOptions options;
  options.can_substitute = substitute;
  return text_of(cache.candidate_locations("docker", "h.test", digest(c), options));
}

class LineLogger final : public Logger {
 public:
  bool enabled(Level) const noexcept override { return true; }
  void log(Level, std::string_view message) noexcept override { lines.emplace_back(message); }
  std::vector<std::string> lines;
};

// A cache in memory and one on disk, which must answer alike.
template <class Test>
void on_both(Test&& check) {
  const test::Directory directory;
  const auto memory = make_memory_blob_info_cache();
  const auto file = make_blob_info_cache(directory / "deep/cache.sqlite", null_logger());
  SUBCASE("in memory") {
    check(*memory);
  }
  SUBCASE("in a file") {
    check(*file);
  }
}

}  // namespace

TEST_CASE("blob info cache: a new one knows nothing") {
  on_both([](BlobInfoCache& cache) {
    CHECK(candidates(cache, 'a', true) == "");
    CHECK_FALSE(cache.uncompressed_digest(digest('a')));
    CHECK_FALSE(cache.digest_compressor_name(digest('a')));
  });
}

TEST_CASE("blob info cache: locations come back, the newest first, of one transport and scope") {
  on_both([](BlobInfoCache& cache) {
    cache.record_known_location("docker", "h.test", digest('a'), "one");
    cache.record_known_location("docker", "h.test", digest('a'), "two");
    cache.record_known_location("docker", "other.test", digest('a'), "three");
    cache.record_known_location("dir", "h.test", digest('a'), "four");
    CHECK(candidates(cache, 'a') == "a@two a@one ");
    cache.record_known_location("docker", "h.test", digest('a'), "one");
    CHECK(candidates(cache, 'a') == "a@one a@two ");
  });
}

TEST_CASE("blob info cache: at most five known locations are given") {
  on_both([](BlobInfoCache& cache) {
    for (const auto* name : {"1", "2", "3", "4", "5", "6"})
      cache.record_known_location("docker", "h.test", digest('a'), name);
    CHECK(candidates(cache, 'a') == "a@6 a@5 a@4 a@3 a@2 ");
  });
}

TEST_CASE("blob info cache: other forms of a blob come after it, its uncompressed form last") {
  on_both([](BlobInfoCache& cache) {
    cache.record_digest_uncompressed_pair(digest('a'), digest('f'));
    cache.record_digest_uncompressed_pair(digest('b'), digest('f'));
    cache.record_known_location("docker", "h.test", digest('a'), "x");
    cache.record_known_location("docker", "h.test", digest('b'), "y");
    cache.record_known_location("docker", "h.test", digest('f'), "z");
    CHECK(candidates(cache, 'a', true) == "a@x b@y f@z ");
    CHECK(candidates(cache, 'a', false) == "a@x ");
  });
}

TEST_CASE("blob info cache: two other forms of unknown location are worth a try") {
  on_both([](BlobInfoCache& cache) {
    for (const char c : {'a', 'b', 'c', 'd'}) cache.record_digest_uncompressed_pair(digest(c), digest('f'));
    CHECK(candidates(cache, 'a', true) == "b@? c@? ");
  });
}

TEST_CASE("blob info cache: uncompressed digests are found both ways") {
  on_both([](BlobInfoCache& cache) {
    cache.record_digest_uncompressed_pair(digest('a'), digest('f'));
    CHECK(cache.uncompressed_digest(digest('a')) == digest('f'));
    CHECK(cache.uncompressed_digest(digest('f')) == digest('f'));
    CHECK(cache.digests_with_uncompressed(digest('f')) == std::vector{digest('a')});
    cache.record_digest_uncompressed_pair(digest('a'), digest('e'));
    CHECK(cache.uncompressed_digest(digest('a')) == digest('e'));
    CHECK(cache.digests_with_uncompressed(digest('f')).empty());
  });
}

TEST_CASE("blob info cache: a compressor is remembered, and forgotten as unknown") {
  on_both([](BlobInfoCache& cache) {
    cache.record_digest_compressor_name(digest('a'), "zstd");
    CHECK(cache.digest_compressor_name(digest('a')) == "zstd");
    cache.record_known_location("docker", "h.test", digest('a'), "x");
    CHECK(cache.candidate_locations("docker", "h.test", digest('a'), {}).at(0).compressor == "zstd");
    cache.record_digest_compressor_name(digest('a'), std::string(compressor_unknown));
    CHECK_FALSE(cache.digest_compressor_name(digest('a')));
  });
}

TEST_CASE("blob info cache: many threads may use one") {
  on_both([](BlobInfoCache& cache) {
    std::vector<std::jthread> threads;
    for (const char c : {'a', 'b', 'c', 'd'})
      threads.emplace_back([&cache, c] {
        for (int i = 0; i < 50; ++i) {
          cache.record_known_location("docker", "h.test", digest(c), std::to_string(i % 3));
          candidates(cache, c, true);
        }
      });
    threads.clear();
    CHECK(candidates(cache, 'd') == "d@1 d@0 d@2 ");
  });
}

TEST_CASE("blob info cache: a path that cannot be used costs one line in the log and nothing else") {
  const test::Directory directory;
  directory.write("cache.sqlite", "this is no database, it is text that is long enough to be read as one");
  LineLogger log;
  const auto cache = make_blob_info_cache(directory / "cache.sqlite", log);
  CHECK(log.lines.empty());
  CHECK(candidates(*cache, 'a') == "");
  cache->record_known_location("docker", "h.test", digest('a'), "x");
  CHECK(candidates(*cache, 'a') == "a@x ");
  CHECK(log.lines.size() == 1);
}

TEST_CASE("blob info cache: root's is the system's, others have their own") {
  CHECK(blob_info_cache_path({{}, "/home/a", 0, ""}) ==
        "/var/lib/containers/cache/blob-info-cache-v1.sqlite");
  CHECK(blob_info_cache_path({{}, "/home/a", 1, ""}) ==
        "/home/a/.local/share/containers/cache/blob-info-cache-v1.sqlite");
  CHECK(blob_info_cache_path({{}, "", 1, ""}) == "");
}

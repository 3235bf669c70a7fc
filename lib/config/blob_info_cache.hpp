// Remembers where blobs were seen and which compressed digest belongs to which uncompressed one, in the
// SQLite file that containers/image uses too (blob-info-cache-v1.sqlite).
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "config/environment.hpp"
#include "spec/digest.hpp"

namespace lade {
class Logger;
}

namespace lade::config {

// Compressor names beside "gzip", "zstd", ...: the blob is known to be uncompressed, or nothing is known.
inline constexpr std::string_view compressor_uncompressed = "uncompressed";
inline constexpr std::string_view compressor_unknown = "unknown";

// A blob that may stand in for the one asked for.
struct BlobCandidate {
  spec::Digest digest;
  std::string compressor;  // "gzip", "zstd", ..., compressor_uncompressed; compressor_unknown if not recorded
  // Within the scope; nullopt: recorded nowhere, worth a try at the destination itself.
  std::optional<std::string> location;
  bool operator==(const BlobCandidate&) const = default;
};

// Thread-safe. A cache: calls never throw for reasons of storage; what cannot be written is forgotten.
// `transport` is a transport's name ("docker"), `scope` what a blob can be reused within (the registry's
// host), `location` an opaque place in it (the repository).
class BlobInfoCache {
 public:
  virtual ~BlobInfoCache() = default;

  virtual void record_known_location(const std::string& transport, const std::string& scope,
                                     const spec::Digest& digest, const std::string& location) = 0;
  // Both digests MUST have been verified by the caller. An uncompressed blob is its own pair.
  virtual void record_digest_uncompressed_pair(const spec::Digest& any, const spec::Digest& uncompressed) = 0;
  virtual std::optional<spec::Digest> uncompressed_digest(const spec::Digest& any) = 0;
  // compressor_unknown forgets it.
  virtual void record_digest_compressor_name(const spec::Digest& any, const std::string& compressor) = 0;
  virtual std::optional<std::string> digest_compressor_name(const spec::Digest& any) = 0;
  // All digests known to have this uncompressed one (itself not among them unless recorded).
  virtual std::vector<spec::Digest> digests_with_uncompressed(const spec::Digest& uncompressed) = 0;

  struct CandidateOptions {
    // Also other blobs with the same uncompressed digest.
    bool can_substitute = false;
    std::size_t max_known = 5;
    std::size_t max_unknown = 2;  // without a location, after the others
  };
  // Best first: newest locations of `digest` itself, its uncompressed form last, others between.
  virtual std::vector<BlobCandidate> candidate_locations(const std::string& transport,
                                                         const std::string& scope, const spec::Digest& digest,
                                                         const CandidateOptions& options) = 0;
};

std::unique_ptr<BlobInfoCache> make_memory_blob_info_cache();

// $path is opened at the first call of a method, not here. A file that cannot be used, or a build without
// SQLite, is one debug line in the log, and memory is used instead. `log` MUST outlive the cache.
std::unique_ptr<BlobInfoCache> make_blob_info_cache(std::filesystem::path path, Logger& log);

// /var/lib/containers/cache/blob-info-cache-v1.sqlite for root, else under data_home(); "" without a home.
std::filesystem::path blob_info_cache_path(const Environment& environment);

}  // namespace lade::config

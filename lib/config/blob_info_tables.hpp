// What a BlobInfoCache knows, as tables in memory, and the choice of candidates over any such tables.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "config/blob_info_cache.hpp"

namespace lade::config {

// Where a blob can be reused within: a transport and a scope of its.
struct BlobPlace {
  std::string transport, scope;
  auto operator<=>(const BlobPlace&) const = default;
};

struct KnownLocation {
  std::string location;
  double time = 0;  // greater is later: Julian days in files, and beyond them in memory
};

// Questions that both memory and the file answer. Not thread-safe.
class BlobInfoTables {
 public:
  virtual ~BlobInfoTables() = default;
  // As recorded for `any`; a digest recorded only as another's uncompressed one is not found here.
  virtual std::optional<spec::Digest> find_uncompressed(const spec::Digest& any) = 0;
  virtual std::set<spec::Digest> compressed_of(const spec::Digest& uncompressed) = 0;
  virtual std::optional<std::string> find_compressor(const spec::Digest& any) = 0;
  virtual std::vector<KnownLocation> locations(const BlobPlace& place, const spec::Digest& digest) = 0;
};

// The record and the answers of one process.
class MemoryTables final : public BlobInfoTables {
 public:
  std::optional<spec::Digest> find_uncompressed(const spec::Digest& any) override;
  std::set<spec::Digest> compressed_of(const spec::Digest& uncompressed) override;
  std::optional<std::string> find_compressor(const spec::Digest& any) override;
  std::vector<KnownLocation> locations(const BlobPlace& place, const spec::Digest& digest) override;

  void add_location(const BlobPlace& place, const spec::Digest& digest, const std::string& location);
  void add_pair(const spec::Digest& any, const spec::Digest& uncompressed);
  void set_compressor(const spec::Digest& any, const std::string& compressor);

 private:
  std::map<spec::Digest, spec::Digest> uncompressed_;
  std::map<spec::Digest, std::set<spec::Digest>> compressed_;
  std::map<spec::Digest, std::string> compressors_;
  std::map<std::pair<BlobPlace, spec::Digest>, std::map<std::string, double>> locations_;
  double now_ = 1e9;  // counts records; later than any Julian day
};

// The file. Its functions throw Error.
class BlobInfoFile : public BlobInfoTables {
 public:
  virtual void add_location(const BlobPlace& place, const spec::Digest& digest,
                            const std::string& location) = 0;
  virtual void add_pair(const spec::Digest& any, const spec::Digest& uncompressed) = 0;
  virtual void set_compressor(const spec::Digest& any, const std::string& compressor) = 0;
  // Runs fn with the file locked for writing; all of it is kept, or nothing.
  virtual void transaction(const std::function<void()>& fn) = 0;
};

// nullptr if the file is not there and `create` is false. Kind::unsupported in builds without SQLite.
std::unique_ptr<BlobInfoFile> open_blob_info_file(const std::filesystem::path& path, bool create);

// The uncompressed digest that `any` has, or is.
std::optional<spec::Digest> known_uncompressed(BlobInfoTables& tables, const spec::Digest& any);

std::vector<BlobCandidate> choose_candidates(BlobInfoTables& tables, const BlobPlace& place,
                                             const spec::Digest& digest,
                                             const BlobInfoCache::CandidateOptions& options);

}  // namespace lade::config

#include "config/blob_info_cache.hpp"

#include <functional>
#include <mutex>

#include "base/context.hpp"
#include "base/sync.hpp"
#include "config/blob_info_tables.hpp"

namespace lade::config {

namespace {

// Records wait in memory until there are so many, or the cache ends: a transaction costs an fsync(2).
constexpr std::size_t max_pending = 1000;

// What this process recorded, over what the file knows.
class JoinedTables final : public BlobInfoTables {
 public:
  JoinedTables(MemoryTables& memory, BlobInfoTables& file) : memory_(memory), file_(file) {}

  std::optional<spec::Digest> find_uncompressed(const spec::Digest& any) override {
    auto found = memory_.find_uncompressed(any);
    return found ? found : file_.find_uncompressed(any);
  }
  std::set<spec::Digest> compressed_of(const spec::Digest& uncompressed) override {
    auto result = memory_.compressed_of(uncompressed);
    result.merge(file_.compressed_of(uncompressed));
    return result;
  }
  std::optional<std::string> find_compressor(const spec::Digest& any) override {
    auto found = memory_.find_compressor(any);
    return found ? found : file_.find_compressor(any);
  }
  std::vector<KnownLocation> locations(const BlobPlace& place, const spec::Digest& digest) override {
    auto result = memory_.locations(place, digest);
    const std::size_t own = result.size();
    for (auto& other : file_.locations(place, digest)) {
      bool known = false;
      for (std::size_t i = 0; i < own; ++i) known |= result[i].location == other.location;
      if (!known) result.push_back(std::move(other));
    }
    return result;
  }

 private:
  MemoryTables& memory_;
  BlobInfoTables& file_;
};

// Memory alone (path "") or memory over a file.
class Cache final : public BlobInfoCache {
  using Write = std::function<void(BlobInfoFile&)>;

  struct State {
    MemoryTables memory;
    std::filesystem::path path;  // "" once the file proved useless
    std::unique_ptr<BlobInfoFile> file;
    std::vector<Write> pending;
  };

  template <class Remember>
  void record(Remember&& remember, Write write) {
    auto state = state_.lock();
    remember(state->memory);
    if (state->path.empty()) return;
    state->pending.push_back(std::move(write));
    if (state->pending.size() >= max_pending) flush(*state);
  }

  template <class Question>
  auto ask(Question&& question) {
    auto state = state_.lock();
    std::invoke_result_t<Question&, BlobInfoTables&> answer;
    const bool answered = with_file(*state, false, [&](BlobInfoFile& file) {
      JoinedTables joined(state->memory, file);
      answer = question(joined);
    });
    return answered ? answer : question(state->memory);
  }

  void flush(State& state) {
    if (state.pending.empty()) return;
    with_file(state, true, [&](BlobInfoFile& file) {
      file.transaction([&] {
        for (const auto& write : state.pending) write(file);
      });
    });
    state.pending.clear();
  }

  // False if there is no file, or it failed: then it is not asked again. A copy never fails for its cache.
  template <class Use>
  bool with_file(State& state, bool create, Use&& use) {
    if (state.path.empty()) return false;
    try {
      if (!state.file) state.file = open_blob_info_file(state.path, create);
      if (state.file) use(*state.file);
      return state.file != nullptr;
    } catch (const std::exception& error) {
      log_.debug("Not using the blob info cache " + state.path.string() + ": " + error.what());
      state.file.reset();
      state.path.clear();
      return false;
    }
  }

 public:
  Cache(std::filesystem::path path, Logger& log) : log_(log) { state_.lock()->path = std::move(path); }

  ~Cache() override {
    auto state = state_.lock();
    flush(*state);
  }

  void record_known_location(const std::string& transport, const std::string& scope,
                             const spec::Digest& digest, const std::string& location) override {
    const BlobPlace place{transport, scope};
    record([&](MemoryTables& memory) { memory.add_location(place, digest, location); },
           [=](BlobInfoFile& file) { file.add_location(place, digest, location); });
  }

  void record_digest_uncompressed_pair(const spec::Digest& any, const spec::Digest& uncompressed) override {
    record([&](MemoryTables& memory) { memory.add_pair(any, uncompressed); },
           [=](BlobInfoFile& file) { file.add_pair(any, uncompressed); });
  }

  void record_digest_compressor_name(const spec::Digest& any, const std::string& compressor) override {
    record([&](MemoryTables& memory) { memory.set_compressor(any, compressor); },
           [=](BlobInfoFile& file) { file.set_compressor(any, compressor); });
  }

  std::optional<spec::Digest> uncompressed_digest(const spec::Digest& any) override {
    return ask([&](BlobInfoTables& tables) { return known_uncompressed(tables, any); });
  }

  std::optional<std::string> digest_compressor_name(const spec::Digest& any) override {
    auto found = ask([&](BlobInfoTables& tables) { return tables.find_compressor(any); });
    return found == compressor_unknown ? std::nullopt : found;
  }

  std::vector<spec::Digest> digests_with_uncompressed(const spec::Digest& uncompressed) override {
    const auto found = ask([&](BlobInfoTables& tables) { return tables.compressed_of(uncompressed); });
    return {found.begin(), found.end()};
  }

  std::vector<BlobCandidate> candidate_locations(const std::string& transport, const std::string& scope,
                                                 const spec::Digest& digest,
                                                 const CandidateOptions& options) override {
    return ask([&](BlobInfoTables& tables) {
      return choose_candidates(tables, {transport, scope}, digest, options);
    });
  }

 private:
  Logger& log_;
  Sync<State> state_;
};

}  // namespace

std::unique_ptr<BlobInfoCache> make_memory_blob_info_cache() {
  return std::make_unique<Cache>("", null_logger());
}

std::unique_ptr<BlobInfoCache> make_blob_info_cache(std::filesystem::path path, Logger& log) {
  return std::make_unique<Cache>(std::move(path), log);
}

std::filesystem::path blob_info_cache_path(const Environment& environment) {
  constexpr std::string_view name = "cache/blob-info-cache-v1.sqlite";
  if (environment.uid == 0) return environment.system_path("/var/lib/containers") / name;
  const auto data = environment.data_home();
  return data.empty() ? data : data / "containers" / name;
}

}  // namespace lade::config

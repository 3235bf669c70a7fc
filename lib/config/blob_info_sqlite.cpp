// blob-info-cache-v1.sqlite: tables and formats are those of containers/image (pkg/blobinfocache/sqlite),
// which uses the same file.
#include <sqlite3.h>

#include <chrono>
#include <ctime>

#include "base/error.hpp"
#include "config/blob_info_tables.hpp"
#include "os/file.hpp"

namespace lade::config {

namespace {

constexpr int busy_timeout_ms = 2000;

constexpr const char* schema =
    "CREATE TABLE IF NOT EXISTS DigestUncompressedPairs("
    "  anyDigest TEXT PRIMARY KEY NOT NULL, uncompressedDigest TEXT NOT NULL);"
    "CREATE INDEX IF NOT EXISTS DigestUncompressedPairs_index_uncompressedDigest"
    "  ON DigestUncompressedPairs(uncompressedDigest);"
    "CREATE TABLE IF NOT EXISTS DigestCompressors("
    "  digest TEXT PRIMARY KEY NOT NULL, compressor TEXT NOT NULL);"
    "CREATE TABLE IF NOT EXISTS KnownLocations("
    "  transport TEXT NOT NULL, scope TEXT NOT NULL, digest TEXT NOT NULL, location TEXT NOT NULL,"
    "  time TIMESTAMP NOT NULL, PRIMARY KEY (transport, scope, digest, location));"
    "CREATE TABLE IF NOT EXISTS DigestTOCUncompressedPairs("
    "  tocDigest TEXT PRIMARY KEY NOT NULL, uncompressedDigest TEXT NOT NULL);"
    "CREATE TABLE IF NOT EXISTS DigestSpecificVariantCompressors("
    "  digest TEXT PRIMARY KEY NOT NULL, specificVariantCompressor TEXT NOT NULL,"
    "  specificVariantAnnotations BLOB NOT NULL);";

struct CloseDatabase {
  void operator()(sqlite3* database) const { ::sqlite3_close(database); }
};
using Database = std::unique_ptr<sqlite3, CloseDatabase>;

[[noreturn]] void fail(sqlite3* database) {
  throw Error(Kind::system, std::string("SQLite: ") + ::sqlite3_errmsg(database));
}

// One statement with its parameters; step() yields its rows.
class Statement {
 public:
  Statement(sqlite3* database, const char* sql, const std::vector<std::string>& parameters)
      : database_(database) {
    if (::sqlite3_prepare_v2(database, sql, -1, &statement_, nullptr) != SQLITE_OK) fail(database);
    int index = 0;
    for (const auto& parameter : parameters)
      ::sqlite3_bind_text(statement_, ++index, parameter.data(), static_cast<int>(parameter.size()),
                          SQLITE_TRANSIENT);
  }
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;
  ~Statement() { ::sqlite3_finalize(statement_); }

  bool step() {
    const int result = ::sqlite3_step(statement_);
    if (result != SQLITE_ROW && result != SQLITE_DONE) fail(database_);
    return result == SQLITE_ROW;
  }
  std::string text(int column) {
    const auto* bytes = ::sqlite3_column_text(statement_, column);
    const auto size = static_cast<std::size_t>(::sqlite3_column_bytes(statement_, column));
    return bytes ? std::string(reinterpret_cast<const char*>(bytes), size) : "";
  }
  double number(int column) { return ::sqlite3_column_double(statement_, column); }

 private:
  sqlite3* database_;
  sqlite3_stmt* statement_ = nullptr;
};

// The text that Go's driver stores for a time, in UTC: "2006-01-02 15:04:05.999999999-07:00".
std::string timestamp() {
  using namespace std::chrono;
  const auto now = system_clock::now();
  const std::time_t seconds = system_clock::to_time_t(now);
  const auto nanoseconds =
      duration_cast<std::chrono::nanoseconds>(now.time_since_epoch()).count() % 1'000'000'000;
  std::tm parts{};
  ::gmtime_r(&seconds, &parts);
  char date[32];
  const std::size_t length = std::strftime(date, sizeof date, "%Y-%m-%d %H:%M:%S", &parts);
  const std::string fraction = std::to_string(1'000'000'000 + nanoseconds).substr(1);
  return std::string(date, length) + "." + fraction + "+00:00";
}

class SqliteFile final : public BlobInfoFile {
 public:
  SqliteFile(const std::filesystem::path& path, bool create) {
    sqlite3* database = nullptr;
    const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | (create ? SQLITE_OPEN_CREATE : 0);
    const int result = ::sqlite3_open_v2(path.c_str(), &database, flags, nullptr);
    database_.reset(database);
    if (result != SQLITE_OK) fail(database);
    ::sqlite3_busy_timeout(database, busy_timeout_ms);
    run("PRAGMA synchronous = NORMAL");  // it is a cache: fewer syncs, and still no corruption by a crash
    if (!has_schema()) transaction([&] { run(schema); });
  }

  std::optional<spec::Digest> find_uncompressed(const spec::Digest& any) override {
    Statement query(database_.get(),
                    "SELECT uncompressedDigest FROM DigestUncompressedPairs WHERE anyDigest = ?",
                    {any.str()});
    return query.step() ? spec::Digest::try_parse(query.text(0)) : std::nullopt;
  }

  std::set<spec::Digest> compressed_of(const spec::Digest& uncompressed) override {
    Statement query(database_.get(),
                    "SELECT anyDigest FROM DigestUncompressedPairs WHERE uncompressedDigest = ?",
                    {uncompressed.str()});
    std::set<spec::Digest> result;
    while (query.step())
      if (auto digest = spec::Digest::try_parse(query.text(0))) result.insert(*std::move(digest));
    return result;
  }

  std::optional<std::string> find_compressor(const spec::Digest& any) override {
    Statement query(database_.get(), "SELECT compressor FROM DigestCompressors WHERE digest = ?",
                    {any.str()});
    return query.step() ? std::optional(query.text(0)) : std::nullopt;
  }

  std::vector<KnownLocation> locations(const BlobPlace& place, const spec::Digest& digest) override {
    // Times are texts with any offset; the driver of Go calls them "local" where it knows no name.
    Statement query(database_.get(),
                    "SELECT location, julianday(time) FROM KnownLocations"
                    " WHERE transport = ? AND scope = ? AND digest = ? ORDER BY rowid DESC",
                    {place.transport, place.scope, digest.str()});
    std::vector<KnownLocation> result;
    while (query.step()) result.push_back({query.text(0), query.number(1)});
    return result;
  }

  void add_location(const BlobPlace& place, const spec::Digest& digest,
                    const std::string& location) override {
    execute(
        "INSERT OR REPLACE INTO KnownLocations(transport, scope, digest, location, time)"
        " VALUES (?, ?, ?, ?, ?)",
        {place.transport, place.scope, digest.str(), location, timestamp()});
  }

  void add_pair(const spec::Digest& any, const spec::Digest& uncompressed) override {
    execute("INSERT OR REPLACE INTO DigestUncompressedPairs(anyDigest, uncompressedDigest) VALUES (?, ?)",
            {any.str(), uncompressed.str()});
  }

  void set_compressor(const spec::Digest& any, const std::string& compressor) override {
    if (compressor == compressor_unknown) {
      execute("DELETE FROM DigestCompressors WHERE digest = ?", {any.str()});
      execute("DELETE FROM DigestSpecificVariantCompressors WHERE digest = ?", {any.str()});
    } else {
      execute("INSERT OR REPLACE INTO DigestCompressors(digest, compressor) VALUES (?, ?)",
              {any.str(), compressor});
    }
  }

  // EXCLUSIVE from the start, as the other users of the file do: a read lock is never turned into a write
  // lock, which could fail for two at once. Closing the database ends a transaction that fn's error left
  // open.
  void transaction(const std::function<void()>& fn) override {
    run("BEGIN EXCLUSIVE");
    fn();
    run("COMMIT");
  }

 private:
  bool has_schema() {
    Statement query(database_.get(), "SELECT 1 FROM sqlite_master WHERE name = ?",
                    {"DigestSpecificVariantCompressors"});
    return query.step();
  }

  void execute(const char* sql, const std::vector<std::string>& parameters) {
    Statement(database_.get(), sql, parameters).step();
  }

  void run(const char* sql) {
    if (::sqlite3_exec(database_.get(), sql, nullptr, nullptr, nullptr) != SQLITE_OK) fail(database_.get());
  }

  Database database_;
};

}  // namespace

std::unique_ptr<BlobInfoFile> open_blob_info_file(const std::filesystem::path& path, bool create) {
  std::error_code error;
  if (!create && !std::filesystem::exists(path, error)) return nullptr;
  if (create) os::mkdir_all(path.parent_path(), 0700);
  return std::make_unique<SqliteFile>(path, create);
}

}  // namespace lade::config

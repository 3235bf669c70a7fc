// The cache's file as containers/image reads and writes it.
#include <doctest/doctest.h>
#include <sqlite3.h>

#include "base/context.hpp"
#include "config/blob_info_cache.hpp"
#include "support/temp_dir.hpp"

using namespace lade;
using namespace lade::config;
using spec::Digest;

namespace {

Digest digest(char c) {
  return Digest::from_hex(Digest::Algorithm::sha256, std::string(64, c));
}

struct File {
  test::Directory directory;
  std::filesystem::path path = directory / "dir/blob-info-cache-v1.sqlite";

  std::unique_ptr<BlobInfoCache> open() const { return make_blob_info_cache(path, null_logger()); }

  // The first column of all rows, each followed by a space.
  std::string sql(const std::string& text) const {
    std::string result;
    sqlite3* database = nullptr;
    REQUIRE(::sqlite3_open(path.c_str(), &database) == SQLITE_OK);
    const auto add = [](void* rows, int, char** columns, char**) {
      *static_cast<std::string*>(rows) += std::string(columns[0] ? columns[0] : "NULL") + " ";
      return 0;
    };
    CHECK(::sqlite3_exec(database, text.c_str(), add, &result, nullptr) == SQLITE_OK);
    ::sqlite3_close(database);
    return result;
  }
};

}  // namespace

TEST_CASE("blob info file: nothing is created before something is to be kept") {
  const File file;
  file.open()->uncompressed_digest(digest('a'));
  CHECK_FALSE(std::filesystem::exists(file.path.parent_path()));
}

TEST_CASE("blob info file: what one process recorded the next one knows") {
  const File file;
  {
    const auto cache = file.open();
    cache->record_known_location("docker", "h.test", digest('a'), "ns/repo");
    cache->record_digest_uncompressed_pair(digest('a'), digest('f'));
    cache->record_digest_compressor_name(digest('a'), "gzip");
  }
  const auto cache = file.open();
  CHECK(cache->candidate_locations("docker", "h.test", digest('a'), {}) ==
        std::vector<BlobCandidate>{{digest('a'), "gzip", "ns/repo"}});
  CHECK(cache->uncompressed_digest(digest('a')) == digest('f'));
  CHECK(cache->digests_with_uncompressed(digest('f')) == std::vector{digest('a')});
}

TEST_CASE("blob info file: tables, columns and times are those of containers/image") {
  const File file;
  file.open()->record_known_location("docker", "h.test", digest('a'), "ns/repo");
  CHECK(
      file.sql("SELECT name FROM sqlite_master WHERE type='table' ORDER BY name") ==
      "DigestCompressors DigestSpecificVariantCompressors DigestTOCUncompressedPairs DigestUncompressedPairs "
      "KnownLocations ");
  CHECK(file.sql("SELECT name FROM pragma_table_info('KnownLocations')") ==
        "transport scope digest location time ");
  CHECK(file.sql(
            "SELECT time GLOB '20[0-9][0-9]-[0-9][0-9]-[0-9][0-9] [0-9][0-9]:[0-9][0-9]:[0-9][0-9].*+00:00' "
            "FROM KnownLocations") == "1 ");
}

TEST_CASE("blob info file: times with other offsets are put in order") {
  const File file;
  file.open()->record_known_location("docker", "h.test", digest('a'), "now");
  const std::string insert =
      "INSERT INTO KnownLocations VALUES ('docker', 'h.test', '" + digest('a').str() + "', ";
  file.sql(insert + "'old', '2001-01-01 00:00:00.5+14:00')");
  file.sql(insert + "'newer', '2001-01-01 00:00:00.123456789-07:00')");
  const auto found = file.open()->candidate_locations("docker", "h.test", digest('a'), {});
  REQUIRE(found.size() == 3);
  CHECK(found[1].location == "newer");
  CHECK(found[2].location == "old");
}

TEST_CASE("blob info file: what this process recorded comes before what the file holds") {
  const File file;
  file.open()->record_known_location("docker", "h.test", digest('a'), "old");
  const auto cache = file.open();
  cache->record_known_location("docker", "h.test", digest('a'), "new");
  cache->record_known_location("docker", "h.test", digest('a'), "newest");
  const auto found = cache->candidate_locations("docker", "h.test", digest('a'), {});
  REQUIRE(found.size() == 3);
  CHECK(found[0].location == "newest");
  CHECK(found[2].location == "old");
}

TEST_CASE("blob info file: rows that are no digests are passed over") {
  const File file;
  file.open()->record_digest_uncompressed_pair(digest('a'), digest('f'));
  file.sql("INSERT INTO DigestUncompressedPairs VALUES ('../../evil', '" + digest('f').str() + "')");
  file.sql("INSERT INTO DigestUncompressedPairs VALUES ('" + digest('b').str() + "', 'evil')");
  CHECK(file.open()->digests_with_uncompressed(digest('f')) == std::vector{digest('a')});
  CHECK_FALSE(file.open()->uncompressed_digest(digest('b')));
}

TEST_CASE("blob info file: forgetting a compressor takes its row away") {
  const File file;
  file.open()->record_digest_compressor_name(digest('a'), "gzip");
  file.open()->record_digest_compressor_name(digest('a'), "unknown");
  CHECK(file.sql("SELECT count(*) FROM DigestCompressors") == "0 ");
}

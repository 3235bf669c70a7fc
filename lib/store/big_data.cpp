#include "io/digester.hpp"
#include "os/atomic_file.hpp"
#include "os/file.hpp"
#include "store/ids.hpp"
#include "store/store_impl.hpp"

namespace lade::store {

namespace {

constexpr std::uint64_t max_big_data = 256 * 1024 * 1024;

}  // namespace

void write_big_data(const Path& directory, const BigDataItem& item, BigData& facts) {
  os::mkdir_all(directory, 0700);
  const Path path = directory / big_data_file_name(item.key);
  // A file that is replaced by itself is a chance less to be killed in between.
  if (os::find_file(path, max_big_data) != item.bytes) {
    os::AtomicFile file(directory, ".tmp-" + path.filename().string());
    file.write(io::as_bytes(item.bytes));
    file.commit(path, {.mode = 0600, .sync = true});
  }
  facts.set(item.key, static_cast<std::int64_t>(item.bytes.size()),
            item.digest ? *item.digest : io::digest_of(item.bytes));
}

std::optional<std::string> read_big_data(const Path& directory, const std::string& key,
                                         const BigData& facts) {
  auto bytes = os::read_file(directory / big_data_file_name(key), max_big_data);
  const auto size = facts.sizes.find(key);
  if (size != facts.sizes.end() && size->second != static_cast<std::int64_t>(bytes.size()))
    return std::nullopt;
  return bytes;
}

}  // namespace lade::store

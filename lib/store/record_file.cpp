#include "store/record_file.hpp"

#include "base/error.hpp"
#include "os/atomic_file.hpp"
#include "os/file.hpp"

namespace lade::store {

namespace {

constexpr std::size_t max_record_file = 256 * 1024 * 1024;

}  // namespace

FileVersion version_of(const std::filesystem::path& path) {
  struct ::stat status {};
  if (::stat(path.c_str(), &status) != 0) return {};
  return {status.st_mtim.tv_sec, status.st_mtim.tv_nsec, status.st_ino,
          static_cast<std::uint64_t>(status.st_size)};
}

std::vector<spec::Json> read_json_array(const std::filesystem::path& path) {
  const auto text = os::find_file(path, max_record_file);
  if (!text || text->empty()) return {};
  spec::Json document = spec::parse_json(*text, path.string(), max_record_file);
  if (document.is_null()) return {};
  if (!document.is_array()) throw Error(Kind::invalid_input, path.string() + ": is not an array of records");
  std::vector<spec::Json> result;
  for (auto& element : document) result.push_back(std::move(element));
  return result;
}

void write_json_array(const std::filesystem::path& path, const std::vector<spec::Json>& elements, bool sync) {
  std::string text = "[";
  for (const auto& element : elements) {
    if (text.size() > 1) text += ',';
    text += spec::dump_json(element);
  }
  text += ']';
  os::AtomicFile file(path.parent_path(), ".tmp-" + path.filename().string());
  file.write(io::as_bytes(text));
  file.commit(path, {.mode = 0600, .sync = sync});
}

}  // namespace lade::store

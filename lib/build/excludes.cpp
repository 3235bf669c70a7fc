#include "build/excludes.hpp"

#include <map>
#include <memory>
#include <optional>
#include <string>

#include "engine/times.hpp"
#include "os/file.hpp"
#include "spec/json.hpp"

namespace lade::build {

using spec::Json;

namespace {

constexpr std::uint64_t max_list_size = 16 * 1024 * 1024;

// Null members are not compared.
struct Condition {
  std::optional<std::int64_t> mtime, permissions, uid, gid;

  bool fits(const archive::TarHeader& entry) const {
    const auto same = [](const auto& wanted, std::int64_t is) { return !wanted || *wanted == is; };
    return same(mtime, entry.mtime.seconds) && same(permissions, entry.mode & 0777) && same(uid, entry.uid) &&
           same(gid, entry.gid);
  }
};

std::optional<std::int64_t> integer_in(const Json& object, const char* name) {
  const Json* value = spec::find_member(object, name);
  if (value == nullptr || !value->is_number_integer()) return std::nullopt;
  return value->get<std::int64_t>();
}

Condition condition_of(const Json& entry) {
  Condition result;
  if (const auto time = engine::parse_time(spec::string_member(entry, "ModTime", "commit-excludes")))
    result.mtime = std::chrono::floor<std::chrono::seconds>(*time).time_since_epoch().count();
  // Go's type bits are others than the system's.
  if (const auto mode = integer_in(entry, "Mode")) result.permissions = *mode & 0777;
  const Json* owner = spec::find_member(entry, "Owner");
  if (owner != nullptr && owner->is_object()) {
    result.uid = integer_in(*owner, "UID");
    result.gid = integer_in(*owner, "GID");
  }
  return result;
}

}  // namespace

std::function<bool(const archive::TarHeader& entry)> read_excludes(
    const std::filesystem::path& container_directory) {
  auto conditions = std::make_shared<std::multimap<std::string, Condition>>();
  std::error_code ignored;
  for (const auto& file :
       std::filesystem::directory_iterator(container_directory / "commit-excludes", ignored)) {
    const std::string name = file.path().filename();
    if (!name.starts_with("filter") || name.ends_with(".tmp")) continue;
    const Json list = spec::parse_json(os::read_file(file.path(), max_list_size), file.path().string());
    if (!list.is_array()) continue;
    for (const Json& entry : list) {
      if (!entry.is_object()) continue;
      conditions->emplace(archive::clean_name(spec::string_member(entry, "Path", "commit-excludes")),
                          condition_of(entry));
    }
  }
  if (conditions->empty()) return nullptr;
  return [conditions](const archive::TarHeader& entry) {
    const auto [begin, end] = conditions->equal_range(archive::clean_name(entry.name));
    return std::any_of(begin, end, [&](const auto& condition) { return condition.second.fits(entry); });
  };
}

}  // namespace lade::build

#include "config/short_name_aliases.hpp"

#include "base/error.hpp"
#include "config/config_files.hpp"
#include "config/registries_document.hpp"
#include "os/atomic_file.hpp"
#include "os/file.hpp"
#include "os/record_lock.hpp"

namespace lade::config {
namespace {

constexpr std::string_view aliases_file = "containers/short-name-aliases.conf";
constexpr mode_t private_file = 0600;
constexpr mode_t private_directory = 0700;

std::map<std::string, std::string> read_aliases(const std::filesystem::path& path) {
  const auto text = os::find_file(path, max_config_file_size);
  if (!text) return {};
  return in_context([&] { return "loading short-name aliases config file \"" + path.string() + "\""; },
                    [&] { return parse_registries(*text, path.string()).aliases; });
}

// Names of images need no escapes in TOML.
std::string aliases_document(const std::map<std::string, std::string>& aliases) {
  std::string text = "[aliases]\n";
  for (const auto& [name, value] : aliases)
    text.append("  \"").append(name).append("\" = \"").append(value).append("\"\n");
  return text;
}

}  // namespace

std::filesystem::path short_name_aliases_path(const Environment& environment, const std::string& given) {
  if (!given.empty()) return given;
  if (environment.uid == 0) return environment.system_path("/var/cache") / aliases_file;
  if (const std::string cache = environment.get("XDG_CACHE_HOME"); !cache.empty())
    return std::filesystem::path(cache) / aliases_file;
  return environment.home.empty() ? std::filesystem::path() : environment.home / ".cache" / aliases_file;
}

std::map<std::string, std::string> load_short_name_aliases(const Context& context,
                                                           const std::filesystem::path& path) {
  if (path.empty()) return {};
  const auto lock = os::RecordLock::lock_read_only(context, path.string() + ".lock");
  return read_aliases(path);
}

void add_short_name_alias(const Context& context, const std::filesystem::path& path, const std::string& name,
                          const std::string& value) {
  if (path.empty()) throw Error(Kind::not_found, "no home directory to record a short name in");
  os::mkdir_all(path.parent_path(), private_directory);
  const os::RecordLock lock(context, path.string() + ".lock", os::RecordLock::Mode::exclusive);
  auto aliases = read_aliases(path);
  aliases[name] = value;
  os::write_file(path, aliases_document(aliases), {.mode = private_file});
}

}  // namespace lade::config

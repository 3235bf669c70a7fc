#include "config/storage_conf.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <map>

#include "base/error.hpp"
#include "config/config_files.hpp"
#include "config/merged_list.hpp"
#include "config/toml_table.hpp"
#include "os/file.hpp"

namespace lade::config {

namespace {

namespace fs = std::filesystem;

constexpr ConfigFamily storage_family{"storage", "conf", "CONTAINERS_STORAGE_CONF"};

// Keys that become options of a driver.
constexpr std::array overlay_keys = {
    "ignore_chown_errors", "mountopt",      "mount_program", "size", "inodes",
    "skip_mount_home",     "use_composefs", "force_mask",    "sync"};
constexpr std::array vfs_keys = {"ignore_chown_errors", "sync"};
constexpr std::array pull_keys = {"enable_partial_images", "convert_images", "use_hard_links", "ostree_repos",
                                  "insecure_allow_unpredictable_image_contents"};

// All files decoded one after the other into one structure.
struct StorageDocument {
  std::map<std::string, std::string> storage, options, overlay, vfs, pull;  // scalars by key
  std::map<std::string, std::string> origin;                          // file that set a key of [storage]
  MergedList driver_priority, additional_image_stores, additional_layer_stores;

  std::string get(const std::string& key) const {
    const auto found = storage.find(key);
    return found == storage.end() ? "" : found->second;
  }
};

template <class Keys>
void merge_scalars(TomlTable& table, const Keys& keys, std::map<std::string, std::string>& into) {
  for (const char* key : keys)
    if (auto value = table.scalar(key)) into[key] = *std::move(value);
}

void merge_storage_file(StorageDocument& document, const ConfigText& file) {
  const toml::table parsed = parse_toml(file.text, file.path);
  TomlTable top(parsed, file.path);
  auto storage = top.table("storage");
  if (!storage) return;
  constexpr std::array storage_keys = {
      "driver", "graphroot", "runroot", "imagestore", "rootless_storage_path", "transient_store"};
  for (const char* key : storage_keys)
    if (storage->has(key)) document.origin[key] = file.path;
  merge_scalars(*storage, storage_keys, document.storage);
  document.driver_priority.merge(storage->text_list("driver_priority"));
  auto options = storage->table("options");
  if (!options) return;
  document.additional_image_stores.merge(options->text_list("additionalimagestores"));
  document.additional_layer_stores.merge(options->text_list("additionallayerstores"));
  merge_scalars(*options, overlay_keys, document.options);
  merge_scalars(*options, std::array{"disable-volatile"}, document.options);
  if (auto overlay = options->table("overlay")) merge_scalars(*overlay, overlay_keys, document.overlay);
  if (auto vfs = options->table("vfs")) merge_scalars(*vfs, vfs_keys, document.vfs);
  if (auto pull = options->table("pull_options")) merge_scalars(*pull, pull_keys, document.pull);
}

// The driver's own table wins over [storage.options].
template <class Keys>
void add_driver_options(const std::string& driver, const Keys& keys, const StorageDocument& document,
                        const std::map<std::string, std::string>& own, std::vector<std::string>& result) {
  for (const char* key : keys) {
    for (const auto* table : {&own, &document.options}) {
      const auto found = table->find(key);
      if (found == table->end() || found->second.empty()) continue;
      result.push_back(driver + "." + key + "=" + found->second);
      break;
    }
  }
}

std::vector<std::string> driver_options_of(const StorageDocument& document) {
  std::vector<std::string> result;
  for (const auto& store : document.additional_image_stores.texts())
    result.push_back("additionalimagestore=" + store);
  add_driver_options("overlay", overlay_keys, document, document.overlay, result);
  add_driver_options("vfs", vfs_keys, document, document.vfs, result);
  return result;
}

std::vector<std::string> split_list(std::string_view text, char separator) {
  std::vector<std::string> result;
  while (!text.empty()) {
    const auto end = std::min(text.find(separator), text.size());
    if (end > 0) result.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return result;
}

bool is_name_char(char c) {
  return c == '_' || (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

// As Go's os.ExpandEnv: $NAME and ${NAME}; a "$" before anything else stays.
std::string expand_variables(std::string_view text, const Environment& environment) {
  std::string result;
  while (!text.empty()) {
    const auto dollar = std::min(text.find('$'), text.size());
    result += text.substr(0, dollar);
    text.remove_prefix(dollar);
    if (text.empty()) break;
    const bool braces = text.starts_with("${");
    const auto begin = braces ? 2u : 1u;
    const auto end = braces
                         ? text.find('}')
                         : static_cast<std::size_t>(
                               std::find_if_not(text.begin() + 1, text.end(), is_name_char) - text.begin());
    if (end == std::string_view::npos || end == begin) {
      result += '$';
      text.remove_prefix(1);
      continue;
    }
    result += environment.get(text.substr(begin, end - begin));
    text.remove_prefix(braces ? end + 1 : end);
  }
  return result;
}

fs::path resolved(const fs::path& path) {
  std::error_code error;
  auto real = fs::canonical(path, error);
  return error ? path.lexically_normal() : real;
}

fs::path absolute_path(const fs::path& path) {
  if (!path.is_absolute())
    throw Error(Kind::invalid_input, "path name is not absolute: \"" + path.string() + "\"");
  return resolved(path);
}

// "" stays "".
fs::path expand_path(std::string text, const Environment& environment) {
  if (text.empty()) return {};
  constexpr std::string_view uid_name = "$UID";
  for (auto at = text.find(uid_name); at != std::string::npos; at = text.find(uid_name, at))
    text.replace(at, uid_name.size(), std::to_string(environment.uid));
  return absolute_path(expand_variables(text, environment));
}

// Nobody else may have been able to put something into it.
bool is_private(const fs::path& path) {
  struct ::stat status {};
  constexpr mode_t looked_at = 0722, wanted = 0700;
  return ::lstat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode) && status.st_uid == ::geteuid() &&
         (status.st_mode & looked_at) == wanted;
}

fs::path user_runtime_directory(const Environment& environment) {
  if (const auto given = environment.get("XDG_RUNTIME_DIR"); !given.empty()) return resolved(given);
  const std::string uid = std::to_string(environment.uid);
  if (auto path = environment.system_path("/run/user/" + uid); is_private(path)) return path;
  const auto temporary = environment.get("TMPDIR");
  auto path =
      (temporary.empty() ? environment.system_path("/tmp") : fs::path(temporary)) / ("storage-run-" + uid);
  std::error_code ignored;
  if (::mkdir(path.c_str(), 0700) == 0 || is_private(path)) return path;
  throw Error(Kind::invalid_input, "no safe place for runtime data: " + path.string() +
                                       " belongs to somebody else; set XDG_RUNTIME_DIR");
}

fs::path default_graph_root(const Environment& environment) {
  if (environment.uid == 0) return environment.system_path("/var/lib/containers/storage");
  const auto data = environment.data_home();
  if (data.empty()) throw Error(Kind::invalid_input, "neither HOME nor XDG_DATA_HOME is set");
  return data / "containers/storage";
}

fs::path default_run_root(const Environment& environment) {
  if (environment.uid == 0) return environment.system_path("/run/containers/storage");
  return user_runtime_directory(environment) / "containers";
}

std::string canonical_driver(std::string name) {
  return name == "overlay2" ? "overlay" : name;
}

// Versions before 1.63 ignore a graphroot of the system's file when a user is not root.
void warn_of_two_stores(const Environment& environment, const StorageDocument& document,
                        StoreOptions& result) {
  const auto origin = document.origin.find("graphroot");
  if (environment.uid == 0 || origin == document.origin.end()) return;
  const auto home = environment.config_home();
  if (!home.empty() && origin->second.starts_with(home.string() + "/")) return;
  const auto old = default_graph_root(environment);
  std::error_code ignored;
  if (resolved(old) == result.graph_root || !fs::exists(old, ignored)) return;
  result.warnings.push_back(origin->second + " sets graphroot to " + result.graph_root.string() +
                            "; programs with containers/storage before 1.63 use " + old.string() +
                            " instead");
}

void choose_places(const Environment& environment, const StorageDocument& document,
                   const StoreOverrides& overrides, StoreOptions& result) {
  const auto place = [&](const fs::path& given, const char* key, auto default_of) -> fs::path {
    if (!given.empty()) return absolute_path(given);
    if (auto path = expand_path(document.get(key), environment); !path.empty()) return path;
    const bool user = environment.uid != 0 && std::string_view(key) == "graphroot";
    if (auto path = expand_path(user ? document.get("rootless_storage_path") : "", environment);
        !path.empty())
      return path;
    return resolved(default_of(environment));
  };
  result.graph_root = place(overrides.graph_root, "graphroot", default_graph_root);
  result.run_root = place(overrides.run_root, "runroot", default_run_root);
}

void choose_driver(const Environment& environment, const StorageDocument& document,
                   const StoreOverrides& overrides, StoreOptions& result) {
  const auto from_environment = environment.get("STORAGE_DRIVER");
  const auto configured =
      canonical_driver(from_environment.empty() ? document.get("driver") : from_environment);
  result.driver_priority = document.driver_priority.texts();
  if (!overrides.driver.empty()) {
    result.driver = canonical_driver(overrides.driver);
  } else if (!overrides.graph_root.empty()) {
    // Another store than the configuration speaks of: what is there decides.
    if (!configured.empty()) result.driver_priority = {configured};
  } else {
    result.driver = configured;
  }
  for (auto& name : result.driver_priority) name = canonical_driver(name);
}

void choose_driver_options(const Environment& environment, const StorageDocument& document,
                           const StoreOverrides& overrides, StoreOptions& result) {
  const bool is_explicit =
      !overrides.driver.empty() || !overrides.graph_root.empty() || !overrides.run_root.empty();
  if (overrides.driver_options) {
    result.driver_options = *overrides.driver_options;
  } else if (is_explicit) {
    return;
  } else if (const auto options = environment.get("STORAGE_OPTS"); !options.empty()) {
    result.driver_options = split_list(options, ',');
  } else {
    result.driver_options = driver_options_of(document);
  }
}

bool boolean_option(const std::string& key, std::string value) {
  std::ranges::transform(value, value.begin(), [](unsigned char c) { return std::tolower(c); });
  if (value == "true" || value == "1" || value == "t") return true;
  if (value == "false" || value == "0" || value == "f" || value.empty()) return false;
  throw Error(Kind::invalid_input, "storage option " + key + ": \"" + value + "\" is neither true nor false");
}

void add_stores(const std::string& value, std::vector<fs::path>& result) {
  for (const auto& text : split_list(value, ',')) {
    const fs::path path = text;
    if (!path.is_absolute())
      throw Error(Kind::invalid_input, "additional image store path \"" + text + "\" is not absolute");
    result.push_back(path.lexically_normal());
  }
}

// False if there is no such option.
bool set_common_option(const std::string& key, const std::string& value, DriverOptions& result) {
  if (key == "imagestore" || key == "additionalimagestore") {
    add_stores(value, result.additional_image_stores);
  } else if (key == "ignore_chown_errors") {
    result.ignore_chown_errors = boolean_option(key, value);
  } else if (key == "sync") {
    if (value != "none" && value != "filesystem")
      throw Error(Kind::invalid_input, "storage option sync: invalid mode \"" + value + "\"");
    result.sync = value == "filesystem";
  } else {
    return key == "mountopt";
  }
  return true;
}

bool set_overlay_option(const std::string& key, const std::string& value, DriverOptions& result) {
  if (key == "mountopt") {
    result.mountopt = value;
  } else if (key == "mount_program") {
    result.mount_program = value;
  } else if (key == "skip_mount_home") {
    result.skip_mount_home = boolean_option(key, value);
  } else if (key == "use_composefs") {
    result.use_composefs = boolean_option(key, value);
  } else if (key == "force_mask") {
    result.force_mask = value;
  } else if (key == "size") {
    result.size = value;
  } else if (key == "inodes") {
    result.inodes = value;
  } else {
    return set_common_option(key, value, result);
  }
  return true;
}

// As containers/storage: "true" in any case is true, everything else false.
PullOptions pull_options_of(const StorageDocument& document) {
  const auto value_of = [&](const std::string& key) {
    const auto found = document.pull.find(key);
    std::string value = found == document.pull.end() ? "" : found->second;
    std::ranges::transform(value, value.begin(), [](unsigned char c) { return std::tolower(c); });
    return value;
  };
  PullOptions result;
  result.enable_partial_images = value_of("enable_partial_images") == "true";
  for (const char* key : {"convert_images", "use_hard_links", "insecure_allow_unpredictable_image_contents"})
    if (value_of(key) == "true") result.unsupported.emplace_back(key);
  if (!value_of("ostree_repos").empty()) result.unsupported.emplace_back("ostree_repos");
  return result;
}

}  // namespace

DriverOptions StoreOptions::for_driver(std::string_view name) const {
  DriverOptions result;
  for (const auto& option : driver_options) {
    const auto equals = option.find('=');
    if (equals == std::string::npos)
      throw Error(Kind::invalid_input, "unable to parse key/value option: " + option);
    std::string key = option.substr(0, equals);
    const std::string value = option.substr(equals + 1);
    std::ranges::transform(key, key.begin(), [](unsigned char c) { return std::tolower(c); });
    if (const auto dot = key.find('.'); dot != std::string::npos) {
      const auto prefix = canonical_driver(key.substr(0, dot));
      if (!prefix.empty() && prefix != name) continue;
      key.erase(0, dot + 1);
    }
    const bool known =
        name == "overlay" ? set_overlay_option(key, value, result) : set_common_option(key, value, result);
    if (!known) throw Error(Kind::invalid_input, std::string(name) + ": unknown option " + key);
  }
  return result;
}

StoreOptions load_store_options(const Environment& environment, const StoreOverrides& overrides) {
  StorageDocument document;
  StoreOptions result;
  for (const auto& file : read_config_files(config_paths(environment, storage_family, ""))) {
    in_context("loading storage configuration", [&] { merge_storage_file(document, file); });
    result.files.push_back(file.path);
  }
  result.uid = environment.uid;
  result.rootless = environment.uid != 0 || !environment.privileged;
  choose_places(environment, document, overrides, result);
  choose_driver(environment, document, overrides, result);
  choose_driver_options(environment, document, overrides, result);
  result.image_store = overrides.image_store.empty() ? expand_path(document.get("imagestore"), environment)
                                                     : overrides.image_store;
  if (!result.image_store.empty() && result.image_store == result.graph_root)
    throw Error(Kind::invalid_input, "imagestore must not be graphroot: " + result.image_store.string());
  result.transient_store = document.get("transient_store") == "true";
  const auto disable_volatile = document.options.find("disable-volatile");
  result.disable_volatile = disable_volatile != document.options.end() && disable_volatile->second == "true";
  result.pull = pull_options_of(document);
  if (!document.additional_layer_stores.texts().empty())
    result.warnings.push_back("additional layer stores are not used");
  if (overrides.graph_root.empty()) warn_of_two_stores(environment, document, result);
  return result;
}

}  // namespace lade::config

#include "config/config_files.hpp"

#include <map>
#include <optional>
#include <system_error>

#include "base/error.hpp"
#include "os/file.hpp"

namespace lade::config {

namespace {

using std::filesystem::path;

// Directories that may hold the family's files, user's first.
std::vector<path> containers_directories(const Environment& environment) {
  std::vector<path> result;
  if (const auto home = environment.config_home(); !home.empty()) result.push_back(home / "containers");
  result.push_back(environment.system_path("/etc/containers"));
  result.push_back(environment.system_path("/usr/share/containers"));
  return result;
}

// The user's directory has no variants for root and others.
std::vector<path> drop_in_directories(const Environment& environment, const ConfigFamily& family) {
  const std::string name(family.name), suffix = "." + std::string(family.extension) + ".d";
  const bool has_user = !environment.config_home().empty();
  std::vector<path> result;
  for (const auto& directory : containers_directories(environment)) {
    const bool is_user = has_user && result.empty();
    if (!is_user && environment.uid != 0) {
      const path rootless = directory / (name + ".rootless" + suffix);
      result.push_back(rootless / std::to_string(environment.uid));
      result.push_back(rootless);
    } else if (!is_user) {
      result.push_back(directory / (name + ".rootful" + suffix));
    }
    result.push_back(directory / (name + suffix));
  }
  return result;
}

// Base name -> path of the drop-ins of one directory.
std::map<std::string, path> drop_ins_of(const path& directory, const std::string& extension) {
  std::map<std::string, path> result;
  std::error_code error;
  std::filesystem::directory_iterator entries(directory, error);
  if (error == std::errc::no_such_file_or_directory) return result;
  if (error) throw Error::from_errno(error.value(), "open " + directory.string());
  for (const auto& entry : entries)
    if (entry.path().extension() == extension && !entry.is_directory(error))
      result.emplace(entry.path().filename().string(), entry.path());
  return result;
}

}  // namespace

ConfigPaths config_paths(const Environment& environment, const ConfigFamily& family,
                         const std::string& explicit_path) {
  ConfigPaths result;
  const std::string variable(family.variable), named = environment.get(variable);
  result.main_required = !explicit_path.empty() || !named.empty();
  if (result.main_required) {
    result.main.push_back(explicit_path.empty() ? named : explicit_path);
  } else {
    for (const auto& directory : containers_directories(environment))
      result.main.push_back(directory / (std::string(family.name) + "." + std::string(family.extension)));
  }
  if (!family.drop_ins) return result;
  result.drop_in_extension = "." + std::string(family.extension);
  if (!explicit_path.empty() || named.empty())
    result.drop_in_directories = drop_in_directories(environment, family);
  result.last = environment.get(variable + "_OVERRIDE");
  return result;
}

std::vector<ConfigText> read_config_files(const ConfigPaths& paths) {
  std::vector<ConfigText> result;
  const auto add = [&](const path& file, bool required) {
    auto text =
        required ? os::read_file(file, max_config_file_size) : os::find_file(file, max_config_file_size);
    if (text) result.push_back({file.string(), *std::move(text)});
    return text.has_value();
  };
  for (const auto& file : paths.main)
    if (add(file, paths.main_required)) break;
  std::map<std::string, path> drop_ins;
  for (const auto& directory : paths.drop_in_directories)
    drop_ins.merge(drop_ins_of(directory, paths.drop_in_extension));
  for (const auto& [name, file] : drop_ins) add(file, false);
  if (!paths.last.empty()) add(paths.last, true);
  return result;
}

}  // namespace lade::config

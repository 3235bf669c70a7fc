#include "config/registries_d.hpp"

#include <set>
#include <system_error>

#include "base/error.hpp"
#include "config/config_files.hpp"
#include "config/yaml_map.hpp"
#include "os/file.hpp"
#include "spec/json.hpp"

namespace lade::config {

namespace {

namespace fs = std::filesystem;

constexpr std::string_view attachments_key = "use-sigstore-attachments";
// The old names are those of before sigstore existed.
const std::vector<std::string_view> reading_keys{"lookaside", "sigstore"};
const std::vector<std::string_view> writing_keys{"lookaside-staging", "sigstore-staging", "lookaside",
                                                 "sigstore"};

fs::path registries_d_directory(const Environment& environment, const std::string& named) {
  if (!named.empty()) return named;
  std::error_code ignored;
  const fs::path own = environment.home / ".config/containers/registries.d";
  if (!environment.home.empty() && fs::exists(own, ignored)) return own;
  return environment.system_path("/etc/containers/registries.d");
}

std::set<fs::path> yaml_files_of(const fs::path& directory) {
  std::set<fs::path> result;
  std::error_code error;
  fs::directory_iterator entries(directory, error);
  if (error == std::errc::no_such_file_or_directory) return result;
  if (error) throw Error::from_errno(error.value(), "open " + directory.string());
  for (const auto& entry : entries)
    if (entry.path().extension() == ".yaml") result.insert(entry.path());
  return result;
}

[[noreturn]] void refuse_twice(const std::string& what, const std::string& first, const std::string& second) {
  throw Error(Kind::invalid_input, "Error parsing signature storage configuration: " + what +
                                       " defined both in \"" + first + "\" and \"" + second + "\"");
}

// URLs are shown in messages.
bool has_credentials(std::string_view url) {
  const auto scheme = url.find("://");
  if (scheme == std::string_view::npos) return false;
  const auto authority = url.substr(scheme + 3);
  return authority.substr(0, authority.find('/')).find('@') != std::string_view::npos;
}

std::map<std::string, RegistriesDSetting, std::less<>> parse_namespace(YamlMap& map, const std::string& file,
                                                                       const std::string& path) {
  std::map<std::string, RegistriesDSetting, std::less<>> result;
  const auto add = [&](std::string_view key, std::string value) {
    const std::string name(key);
    if (has_credentials(value)) map.fail(key, "credentials in a URL are not supported");
    if (!value.empty()) result[name] = {std::move(value), file, map.line_of(key), path + "." + name};
  };
  for (const auto key : writing_keys) add(key, map.text(key));
  if (const auto flag = map.flag(attachments_key)) add(attachments_key, *flag ? "true" : "false");
  map.finish();
  return result;
}

}  // namespace

RegistriesD RegistriesD::load(const Environment& environment, const std::string& directory) {
  RegistriesD result;
  result.default_lookaside_ =
      "file://" + (environment.uid == 0 ? environment.system_path("/var/lib/containers/sigstore")
                                        : environment.home / ".local/share/containers/sigstore")
                      .string();
  for (const auto& file : yaml_files_of(registries_d_directory(environment, directory)))
    if (const auto text = os::find_file(file, max_config_file_size)) result.add(*text, file.string());
  return result;
}

void RegistriesD::add(const std::string& text, const std::string& file) {
  YamlMap document = YamlMap::parse(text, file);
  if (auto map = document.map("default-docker")) {
    if (default_) refuse_twice("\"default-docker\"", default_->file, file);
    default_ = Namespace{parse_namespace(*map, file, "default-docker"), file};
  }
  if (auto docker = document.map("docker")) {
    for (const auto& name : docker->keys()) {
      const std::string quoted = spec::dump_json(name);
      const auto known = namespaces_.find(name);
      if (known != namespaces_.end()) {
        std::string what = "\"docker\" namespace ";
        refuse_twice(what.append(quoted), known->second.file, file);
      }
      Namespace parsed{{}, file};
      if (auto map = docker->map(name)) parsed.settings = parse_namespace(*map, file, "docker." + quoted);
      namespaces_.emplace(name, std::move(parsed));
    }
  }
  document.finish();
}

const RegistriesDSetting* RegistriesD::find(const std::vector<std::string>& scopes,
                                            const std::vector<std::string_view>& keys) const {
  const auto setting = [&](const Namespace& place) -> const RegistriesDSetting* {
    for (const auto key : keys)
      if (const auto found = place.settings.find(key); found != place.settings.end()) return &found->second;
    return nullptr;
  };
  for (const auto& scope : scopes) {
    const auto place = namespaces_.find(scope);
    if (place == namespaces_.end()) continue;
    if (const auto* found = setting(place->second)) return found;
  }
  return default_ ? setting(*default_) : nullptr;
}

RegistriesDSetting RegistriesD::find_lookaside(const std::vector<std::string>& scopes,
                                               const std::vector<std::string_view>& keys) const {
  const auto* found = find(scopes, keys);
  return found != nullptr ? *found : RegistriesDSetting{default_lookaside_, "", 0, ""};
}

RegistriesDSetting RegistriesD::lookaside(const std::vector<std::string>& scopes) const {
  return find_lookaside(scopes, reading_keys);
}

RegistriesDSetting RegistriesD::lookaside_for_writing(const std::vector<std::string>& scopes) const {
  return find_lookaside(scopes, writing_keys);
}

RegistriesDSetting RegistriesD::use_sigstore_attachments(const std::vector<std::string>& scopes) const {
  const auto* found = find(scopes, {attachments_key});
  return found != nullptr ? *found : RegistriesDSetting{"false", "", 0, ""};
}

}  // namespace lade::config

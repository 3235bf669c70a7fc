#include "config/registries_conf.hpp"

#include <algorithm>

#include "base/error.hpp"
#include "config/config_files.hpp"
#include "config/registries_document.hpp"

namespace lade::config {

namespace {

constexpr ConfigFamily registries_family{"registries", "conf", "CONTAINERS_REGISTRIES_CONF"};

// How much of `name` the prefix covers; nullopt if it does not match. What follows MUST begin a new part.
std::optional<std::size_t> match(std::string_view name, std::string_view prefix) {
  if (prefix.starts_with("*.")) {
    const auto host = name.substr(0, name.find_first_of("/:@"));
    const auto domain = prefix.substr(1);
    const bool matches = host.size() > domain.size() && host.ends_with(domain);
    return matches ? std::optional(host.size()) : std::nullopt;
  }
  if (!name.starts_with(prefix)) return std::nullopt;
  const auto rest = name.substr(prefix.size());
  const bool whole = rest.empty() || std::string_view(":/@").find(rest.front()) != std::string_view::npos;
  return whole ? std::optional(prefix.size()) : std::nullopt;
}

spec::Reference rewrite(const spec::Reference& reference, std::size_t covered, const std::string& location) {
  if (location.empty()) return reference;
  const std::string rewritten = location + reference.str().substr(covered);
  return in_context("rewriting reference", [&] { return spec::Reference::parse(rewritten); });
}

bool is_used(const RegistryEntry& entry, const RegistryLocation& mirror, bool by_digest) {
  if (entry.mirror_by_digest_only) return by_digest;
  switch (mirror.pull_from_mirror) {
    case PullFromMirror::all: return true;
    case PullFromMirror::digest_only: return by_digest;
    case PullFromMirror::tag_only: return !by_digest;
  }
  return true;
}

std::vector<std::string> searched(const ConfigPaths& paths) {
  std::vector<std::string> result;
  for (const auto& path : paths.main) result.push_back(path.string());
  for (const auto& path : paths.drop_in_directories) result.push_back(path.string());
  return result;
}

std::string quoted(const std::vector<std::string>& texts) {
  std::string result = "[";
  for (const auto& text : texts) result += (result.size() > 1 ? " \"" : "\"") + text + "\"";
  return result + "]";
}

}  // namespace

RegistriesConf RegistriesConf::parse(std::string_view text, const std::string& file) {
  RegistriesConf result;
  result.merge(parse_registries(text, file), file);
  result.search_origin_ = file;
  result.searched_ = {file};
  return result;
}

RegistriesConf RegistriesConf::load(const Environment& environment, const std::string& path,
                                    const std::string& directory) {
  auto paths = config_paths(environment, registries_family, path);
  if (!directory.empty()) paths.drop_in_directories = {directory};
  RegistriesConf result;
  for (const auto& file : read_config_files(paths)) {
    if (std::ranges::find(paths.main, std::filesystem::path(file.path)) != paths.main.end()) result.search_origin_ = file.path;
    result.merge(
        in_context("loading registries configuration", [&] { return parse_registries(file.text, file.path); }),
        file.path);
  }
  result.searched_ = searched(paths);
  return result;
}

void RegistriesConf::add_aliases(std::map<std::string, std::string> aliases, const std::string& file) {
  for (auto& [name, value] : aliases) {
    if (value.empty()) {
      aliases_.erase(name);
      alias_origins_.erase(name);
    } else {
      aliases_[name] = std::move(value);
      alias_origins_[name] = file;
    }
  }
}

void RegistriesConf::merge(RegistriesDocument&& document, const std::string& file) {
  for (auto& [prefix, place] : document.places) places_[prefix] = std::move(place);
  for (auto& entry : document.registries) {
    const auto same = std::ranges::find(registries_, entry.prefix, &RegistryEntry::prefix);
    if (same == registries_.end())
      registries_.push_back(std::move(entry));
    else
      *same = std::move(entry);
  }
  std::ranges::sort(registries_, {}, &RegistryEntry::prefix);
  if (document.search) {
    search_ = *std::move(document.search);
    search_origin_ = file;
  }
  if (document.short_name_mode) short_name_mode_ = *document.short_name_mode;
  if (document.credential_helpers) credential_helpers_ = *std::move(document.credential_helpers);
  if (credential_helpers_.empty()) credential_helpers_ = {"containers-auth.json"};
  add_aliases(std::move(document.aliases), file);
  std::ranges::move(document.warnings, std::back_inserter(warnings_));
}

const RegistryEntry* RegistriesConf::find(std::string_view host_or_name) const {
  const RegistryEntry* best = nullptr;
  for (const auto& entry : registries_)
    if (match(host_or_name, entry.prefix) && (!best || entry.prefix.size() > best->prefix.size()))
      best = &entry;
  return best;
}

std::string RegistriesConf::place_of(const std::string& prefix) const {
  const auto found = places_.find(prefix);
  return found == places_.end() ? "" : found->second;
}

bool RegistriesConf::is_insecure(std::string_view host_or_name) const {
  const auto* entry = find(host_or_name);
  return entry && entry->insecure;
}

void RegistriesConf::throw_if_blocked(std::string_view host_or_name) const {
  const auto* entry = find(host_or_name);
  if (entry && entry->blocked)
    throw Error(Kind::denied, "registry " + entry->prefix + " is blocked in one of " + quoted(searched_));
}

std::vector<PullEndpoint> RegistriesConf::pull_endpoints(const spec::Reference& reference) const {
  throw_if_blocked(reference);
  const auto* entry = find(reference.str());
  if (!entry) return {{reference, false, false}};
  const std::size_t covered = match(reference.str(), entry->prefix).value_or(0);
  std::vector<PullEndpoint> result;
  for (const auto& mirror : entry->mirrors) {
    if (!is_used(*entry, mirror, reference.digest().has_value())) continue;
    auto there = rewrite(reference, covered, mirror.location);
    const auto* rule = find(there.str());
    if (!rule || !rule->blocked) result.push_back({std::move(there), mirror.insecure, true});
  }
  auto primary = rewrite(reference, covered, entry->location);
  throw_if_blocked(primary);
  result.push_back({std::move(primary), entry->insecure, false});
  return result;
}

}  // namespace lade::config

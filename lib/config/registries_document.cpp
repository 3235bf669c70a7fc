#include "config/registries_document.hpp"

#include <algorithm>

#include "base/error.hpp"
#include "config/toml_table.hpp"

namespace lade::config {

namespace {

bool is_wildcard(std::string_view prefix) {
  return prefix.starts_with("*.");
}

// A location or prefix without slashes at its end.
std::string parse_location(TomlTable& table, std::string_view key) {
  std::string value = table.text_or_empty(key);
  if (value.starts_with("http://") || value.starts_with("https://"))
    table.fail(key, "invalid location '" + value + "': URI schemes are not supported");
  while (value.ends_with('/')) value.pop_back();
  return value;
}

PullFromMirror parse_pull_from_mirror(TomlTable& table) {
  const std::string value = table.text_or_empty("pull-from-mirror");
  if (value.empty() || value == "all") return PullFromMirror::all;
  if (value == "digest-only") return PullFromMirror::digest_only;
  if (value == "tag-only") return PullFromMirror::tag_only;
  table.fail("pull-from-mirror", "unsupported value \"" + value + "\"");
}

RegistryLocation parse_mirror(TomlTable& table, bool by_digest_only, std::vector<std::string>& warnings) {
  RegistryLocation mirror;
  mirror.location = parse_location(table, "location");
  if (mirror.location.empty()) table.fail("location", "invalid condition: mirror location is unset");
  mirror.insecure = table.flag("insecure");
  mirror.pull_from_mirror = parse_pull_from_mirror(table);
  if (by_digest_only && table.has("pull-from-mirror"))
    table.fail("pull-from-mirror", "cannot be set together with the registry's mirror-by-digest-only");
  table.report_unknown(warnings);
  return mirror;
}

void check_prefix(const TomlTable& table, const RegistryEntry& entry) {
  if (entry.prefix.empty()) table.fail("location", "invalid condition: both location and prefix are unset");
  if (is_wildcard(entry.prefix) && entry.prefix.find_first_of("/@:") != std::string::npos)
    table.fail("prefix", "Wildcarded prefix should be in the format: *.example.com. Current prefix \"" +
                             entry.prefix + "\" is incorrectly formatted");
  if (entry.location.empty() && !is_wildcard(entry.prefix))
    table.fail("location",
               "invalid condition: location is unset and prefix is not in the format: *.example.com");
}

RegistryEntry parse_registry(TomlTable& table, std::vector<std::string>& warnings) {
  RegistryEntry entry;
  entry.location = parse_location(table, "location");
  entry.prefix = parse_location(table, "prefix");
  if (entry.prefix.empty()) entry.prefix = entry.location;
  check_prefix(table, entry);
  entry.insecure = table.flag("insecure");
  entry.blocked = table.flag("blocked");
  entry.mirror_by_digest_only = table.flag("mirror-by-digest-only");
  if (table.has("pull-from-mirror"))
    table.fail("pull-from-mirror", "must not be set for a non-mirror registry");
  for (auto& mirror : table.tables("mirror"))
    entry.mirrors.push_back(parse_mirror(mirror, entry.mirror_by_digest_only, warnings));
  table.report_unknown(warnings);
  return entry;
}

const std::string& place_of(const RegistryEntry& entry) {
  return entry.location.empty() ? entry.prefix : entry.location;
}

// Entries of one place must agree, whatever their prefixes.
void check_conflict(const TomlTable& table, const RegistryEntry& entry,
                    const std::vector<RegistryEntry>& others) {
  const auto conflict = [&](std::string_view key) {
    table.fail(key, "registry '" + place_of(entry) + "' is defined multiple times with conflicting '" +
                        std::string(key) + "' setting");
  };
  for (const auto& other : others) {
    if (place_of(other) != place_of(entry)) continue;
    if (other.insecure != entry.insecure) conflict("insecure");
    if (other.blocked != entry.blocked) conflict("blocked");
  }
}

std::vector<RegistryEntry> parse_all(TomlTable& document, std::vector<std::string>& warnings,
                                     std::map<std::string, std::string>& places) {
  std::vector<RegistryEntry> all, result;
  for (auto& table : document.tables("registry")) {
    auto entry = parse_registry(table, warnings);
    check_conflict(table, entry, all);
    all.push_back(entry);
    places.emplace(entry.prefix, table.where());
    if (std::ranges::find(result, entry.prefix, &RegistryEntry::prefix) == result.end())
      result.push_back(std::move(entry));
  }
  return result;
}

std::optional<std::vector<std::string>> parse_search(TomlTable& document) {
  constexpr std::string_view key = "unqualified-search-registries";
  auto result = document.texts(key);
  if (!result) return result;
  for (auto& registry : *result) {
    const std::string given = registry;
    while (registry.ends_with('/')) registry.pop_back();
    if (registry.empty() || registry.find_first_of("/@*") != std::string::npos)
      document.fail(key, "Invalid unqualified-search-registries entry \"" + given + "\"");
    std::string where(key);
    where.append(": \"").append(given).append("\"");
    in_context(where, [&] { spec::Reference::parse(registry + "/x"); });
  }
  return result;
}

std::optional<ShortNameMode> parse_short_name_mode(TomlTable& document) {
  const std::string mode = document.text_or_empty("short-name-mode");
  if (mode.empty()) return std::nullopt;
  if (mode == "enforcing") return ShortNameMode::enforcing;
  if (mode == "permissive") return ShortNameMode::permissive;
  if (mode == "disabled") return ShortNameMode::disabled;
  document.fail("short-name-mode", "invalid short-name mode: \"" + mode + "\"");
}

bool names_registry(std::string_view name) {
  const auto slash = name.find('/');
  const auto first = name.substr(0, slash);
  return slash != std::string_view::npos &&
         (first == "localhost" || first.find_first_of(".:") != std::string_view::npos);
}

std::map<std::string, std::string> parse_aliases(TomlTable& document, const std::string& file) {
  auto result = document.text_map("aliases").value_or(std::map<std::string, std::string>());
  for (auto& [name, value] : result) {
    in_context(file + ": aliases." + name, [&, &name = name, &value = value] {
      if (names_registry(name) || !spec::Reference::parse(name).is_name_only())
        throw Error(Kind::invalid_input, "must be a short name without registry, tag and digest");
      if (value.empty()) return;
      const auto full = spec::Reference::parse(value);
      if (!names_registry(value) || !full.is_name_only())
        throw Error(Kind::invalid_input, "must name registry and repository, without tag and digest");
      value = full.name();
    });
  }
  return result;
}

// [registries.search], [registries.insecure] and [registries.block] were version 1.
void refuse_version_1(TomlTable& document) {
  auto table = document.table("registries");
  if (!table) return;
  for (const std::string_view key : {"search", "insecure", "block"})
    if (table->has(key)) table->fail(key, "registries.conf must be in v2 format but is in v1");
}

}  // namespace

RegistriesDocument parse_registries(std::string_view text, const std::string& file) {
  const toml::table parsed = parse_toml(text, file);
  TomlTable document(parsed, file);
  RegistriesDocument result;
  refuse_version_1(document);
  result.registries = parse_all(document, result.warnings, result.places);
  result.search = parse_search(document);
  result.credential_helpers = document.texts("credential-helpers");
  result.short_name_mode = parse_short_name_mode(document);
  result.aliases = parse_aliases(document, file);
  document.text("additional-layer-store-auth-helper");  // of another program's
  document.report_unknown(result.warnings);
  return result;
}

}  // namespace lade::config

#include "engine/image_names.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.hpp"

namespace lade::engine {
namespace {

spec::Reference tagged_or_digested(const spec::Reference& reference) {
  if (reference.digest()) return reference.without_tag_or_digest().with_digest(*reference.digest());
  return reference.with_default_tag();
}

// "alpine:3" -> "alpine", ":3"
std::pair<std::string, std::string> split_suffix(std::string_view name) {
  const std::size_t digest = std::min(name.find('@'), name.size());
  const std::size_t slash = name.substr(0, digest).rfind('/');
  const std::size_t from = slash == std::string_view::npos ? 0 : slash;
  const std::size_t colon = name.find(':', from);
  const std::size_t end = std::min(colon, digest);
  return {std::string(name.substr(0, end)), std::string(name.substr(std::min(end, name.size())))};
}

std::optional<std::string> aliased(std::string_view name, const config::RegistriesConf& registries) {
  const auto [base, suffix] = split_suffix(name);
  const auto alias = registries.aliases().find(base);
  if (alias == registries.aliases().end()) return std::nullopt;
  return alias->second + suffix;
}

}  // namespace

bool is_short_name(std::string_view name) {
  const std::size_t slash = name.find('/');
  if (slash == std::string_view::npos) return true;
  const std::string_view first = name.substr(0, slash);
  return first != "localhost" && first.find_first_of(".:") == std::string_view::npos &&
         std::none_of(first.begin(), first.end(), [](char c) { return c >= 'A' && c <= 'Z'; });
}

spec::Reference normalize_name(std::string_view name) {
  return in_context([&] { return fmt::format("normalizing name \"{}\"", name); },
                    [&] {
                      (void)spec::Reference::parse(name);
                      const std::string full =
                          is_short_name(name) ? fmt::format("localhost/{}", name) : std::string(name);
                      return tagged_or_digested(spec::Reference::parse(full));
                    });
}

std::vector<spec::Reference> local_candidates(std::string_view name,
                                              const config::RegistriesConf& registries) {
  const auto parsed = spec::Reference::parse(name);
  if (!is_short_name(name)) return {tagged_or_digested(parsed)};
  std::vector<spec::Reference> result;
  const auto add = [&](const std::string& text) {
    const auto candidate = tagged_or_digested(spec::Reference::parse(text));
    if (std::find(result.begin(), result.end(), candidate) == result.end()) result.push_back(candidate);
  };
  if (const auto alias = aliased(name, registries)) add(*alias);
  add(fmt::format("localhost/{}", name));
  for (const std::string& registry : registries.unqualified_search_registries())
    add(fmt::format("{}/{}", registry, name));
  if (const auto docker = tagged_or_digested(parsed);
      std::find(result.begin(), result.end(), docker) == result.end())
    result.push_back(docker);
  return result;
}

PullCandidates pull_candidates(std::string_view name, const config::RegistriesConf& registries) {
  const auto parsed = in_context([&] { return fmt::format("parsing reference \"{}\"", name); },
                                 [&] { return spec::Reference::parse(name); });
  if (!is_short_name(name)) return {{tagged_or_digested(parsed)}, "", "", false};
  PullCandidates result;
  result.short_name = split_suffix(name).first;
  if (const auto alias = aliased(name, registries)) {
    result.references.push_back(tagged_or_digested(spec::Reference::parse(*alias)));
    result.explanation = fmt::format("Resolved \"{}\" as an alias ({})", result.short_name,
                                     registries.alias_origin(result.short_name));
    return result;
  }
  for (const std::string& registry : registries.unqualified_search_registries())
    result.references.push_back(
        tagged_or_digested(spec::Reference::parse(fmt::format("{}/{}", registry, name))));
  const std::string& origin = registries.search_origin();
  if (result.references.empty()) {
    const std::string why =
        origin.empty()
            ? "no containers-registries.conf(5) was found"
            : fmt::format("no unqualified-search registries are defined in \"{}\"", origin);
    throw Error(Kind::invalid_input,
                fmt::format("short-name \"{}\" did not resolve to an alias and {}", name, why));
  }
  result.explanation =
      fmt::format("Resolving \"{}\" using unqualified-search registries ({})", result.short_name, origin);
  result.ambiguous = result.references.size() > 1 &&
                     registries.short_name_mode() != config::ShortNameMode::disabled;
  return result;
}

}  // namespace lade::engine

// What the target of a request names.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace lade::registry::server {

struct Route {
  enum class Resource { base, catalog, tags, manifest, blob, uploads, upload, referrers };

  Resource resource = Resource::base;
  std::string repository;
  std::string reference;  // tag, digest or upload id
};

// The decoded path and query of a request's target.
struct Target {
  std::string path;
  std::map<std::string, std::string, std::less<>> query;  // the first of each name

  // nullopt for broken percent-encoding.
  static std::optional<Target> parse(std::string_view target);
  // "" if absent.
  std::string_view parameter(std::string_view name) const;
};

// nullopt for a path that is none of the distribution-spec's.
std::optional<Route> parse_route(std::string_view path);

// The grammar of <name> in the distribution-spec, at most 255 characters.
bool is_valid_repository(std::string_view name);

}  // namespace lade::registry::server

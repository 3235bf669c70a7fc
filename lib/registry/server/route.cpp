#include "registry/server/route.hpp"

#include <algorithm>
#include <vector>

namespace lade::registry::server {

namespace {

std::optional<unsigned> hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return std::nullopt;
}

std::optional<std::string> percent_decode(std::string_view text, bool plus_is_space) {
  std::string decoded;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      decoded += plus_is_space && text[i] == '+' ? ' ' : text[i];
      continue;
    }
    const auto high = i + 1 < text.size() ? hex_value(text[i + 1]) : std::nullopt;
    const auto low = i + 2 < text.size() ? hex_value(text[i + 2]) : std::nullopt;
    if (!high || !low) return std::nullopt;
    decoded += static_cast<char>(*high << 4 | *low);
    i += 2;
  }
  return decoded;
}

// Calls fn for every piece; one empty piece for an empty text.
template <class Fn>
void split(std::string_view text, char separator, Fn fn) {
  for (;;) {
    const auto end = text.find(separator);
    fn(text.substr(0, end));
    if (end == text.npos) return;
    text.remove_prefix(end + 1);
  }
}

bool is_alphanumeric(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

// [a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*
bool is_valid_component(std::string_view text) {
  if (text.empty() || !is_alphanumeric(text.front()) || !is_alphanumeric(text.back())) return false;
  for (std::size_t i = 0; i < text.size();) {
    if (is_alphanumeric(text[i])) {
      ++i;
      continue;
    }
    const std::size_t end = static_cast<std::size_t>(
        std::find_if(text.begin() + static_cast<std::ptrdiff_t>(i), text.end(), is_alphanumeric) -
        text.begin());
    const std::string_view separator = text.substr(i, end - i);
    const bool dashes = separator.find_first_not_of('-') == separator.npos;
    if (!dashes && separator != "." && separator != "_" && separator != "__") return false;
    i = end;
  }
  return true;
}

using Segments = std::vector<std::string_view>;

std::string join(const Segments& segments, std::size_t count) {
  std::string text;
  for (std::size_t i = 0; i < count; ++i) {
    if (i != 0) text += '/';
    text += segments[i];
  }
  return text;
}

// A repository's name may hold the words of the routes ("tags/list/manifests"): the end of the path decides.
std::optional<Route> parse_repository_route(const Segments& segments) {
  using Resource = Route::Resource;
  const std::size_t size = segments.size();
  const auto is = [&](std::size_t from_end, std::string_view word) {
    return size > from_end && segments[size - from_end] == word;
  };
  const auto route = [&](Resource resource, std::size_t words) {
    return Route{resource, join(segments, size - words), std::string(segments.back())};
  };
  if (is(3, "blobs") && is(2, "uploads")) {
    return route(segments.back().empty() ? Resource::uploads : Resource::upload, 3);
  }
  if (is(2, "blobs") && is(1, "uploads")) return route(Resource::uploads, 2);
  if (is(2, "tags") && is(1, "list")) return route(Resource::tags, 2);
  if (is(2, "manifests")) return route(Resource::manifest, 2);
  if (is(2, "blobs")) return route(Resource::blob, 2);
  if (is(2, "referrers")) return route(Resource::referrers, 2);
  return std::nullopt;
}

}  // namespace

std::optional<Target> Target::parse(std::string_view target) {
  const auto question = target.find('?');
  auto path = percent_decode(target.substr(0, question), false);
  if (!path) return std::nullopt;
  Target parsed{std::move(*path), {}};
  bool broken = false;
  const auto add = [&](std::string_view pair) {
    const auto equals = pair.find('=');
    auto name = percent_decode(pair.substr(0, equals), true);
    auto value = percent_decode(equals == pair.npos ? "" : pair.substr(equals + 1), true);
    broken = broken || !name || !value;
    if (name && value && !name->empty()) parsed.query.emplace(std::move(*name), std::move(*value));
  };
  if (question != target.npos) split(target.substr(question + 1), '&', add);
  if (broken) return std::nullopt;
  return parsed;
}

std::string_view Target::parameter(std::string_view name) const {
  const auto found = query.find(name);
  return found == query.end() ? std::string_view() : found->second;
}

std::optional<Route> parse_route(std::string_view path) {
  if (path == "/v2" || path == "/v2/") return Route{Route::Resource::base, "", ""};
  if (!path.starts_with("/v2/")) return std::nullopt;
  path.remove_prefix(4);
  if (path == "_catalog") return Route{Route::Resource::catalog, "", ""};
  Segments segments;
  split(path, '/', [&](std::string_view segment) { segments.push_back(segment); });
  return parse_repository_route(segments);
}

bool is_valid_repository(std::string_view name) {
  if (name.size() > 255) return false;
  bool valid = true;
  split(name, '/', [&](std::string_view component) { valid = valid && is_valid_component(component); });
  return valid;
}

}  // namespace lade::registry::server

#include <algorithm>

#include "registry/http.hpp"
#include "registry/text.hpp"

namespace lade::registry {

namespace {

bool is_control(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte < 0x20 || byte == 0x7f;
}

[[noreturn]] void invalid(std::string_view text, std::string_view why) {
  throw Error(Kind::invalid_input, "parse \"" + std::string(text) + "\": " + std::string(why));
}

int default_port(std::string_view scheme) {
  return scheme == "https" ? 443 : 80;
}

// Kept as given, but for bytes that cannot stand in a request line.
std::string clean_target(std::string_view target) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  std::string result;
  if (!target.starts_with('/')) result = "/";
  for (const char c : target) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte > 0x20 && byte < 0x7f) {
      result += c;
    } else {
      result += {'%', digits[byte >> 4], digits[byte & 15]};
    }
  }
  return result;
}

bool is_host_char(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_';
}

bool is_address_char(char c) {
  return (c >= 'a' && c <= 'f') || (c >= '0' && c <= '9') || c == ':' || c == '.';
}

// "[v6]" or a name; moves `rest` to what follows.
std::string take_host(std::string_view& rest, std::string_view text) {
  if (rest.starts_with('[')) {
    const std::size_t end = rest.find(']');
    if (end == std::string_view::npos) invalid(text, "missing ']' in host");
    const std::string host = lower_case(rest.substr(1, end - 1));
    const std::string_view address = std::string_view(host).substr(0, host.find('%'));  // a zone may follow
    if (address.empty() || !std::all_of(address.begin(), address.end(), is_address_char)) {
      invalid(text, "invalid host");
    }
    rest.remove_prefix(end + 1);
    return host;
  }
  const std::size_t end = std::min(rest.find(':'), rest.size());
  const std::string host = lower_case(rest.substr(0, end));
  if (host.empty()) invalid(text, "no host in request URL");
  if (!std::all_of(host.begin(), host.end(), is_host_char)) invalid(text, "invalid character in host name");
  rest.remove_prefix(end);
  return host;
}

int take_port(std::string_view rest, int fallback, std::string_view text) {
  if (rest.empty() || rest == ":") return fallback;
  const auto port = parse_number(rest.substr(1));
  if (rest.front() != ':' || !port || *port < 1 || *port > 65535) {
    invalid(text, "invalid port \"" + std::string(rest) + "\" after host");
  }
  return static_cast<int>(*port);
}

// RFC 3986 section 5.2.4 on an absolute path.
std::string remove_dot_segments(std::string_view path) {
  std::string result;
  while (!path.empty()) {
    const std::size_t end = std::min(path.find('/', 1), path.size());
    const std::string_view segment = path.substr(0, end);
    const bool last = end == path.size();
    if (segment == "/..") {
      result.erase(std::min(result.rfind('/'), result.size()));
    } else if (segment != "/.") {
      result += segment;
    }
    if (last && (segment == "/.." || segment == "/.")) result += '/';
    path.remove_prefix(end);
  }
  return result;
}

bool has_scheme(std::string_view text) {
  const std::size_t colon = text.find_first_of(":/?");
  return colon != std::string_view::npos && colon > 0 && text[colon] == ':';
}

}  // namespace

Url Url::parse(std::string_view text) {
  if (std::any_of(text.begin(), text.end(), is_control)) {
    throw Error(Kind::invalid_input, "parse URL: invalid control character in URL");
  }
  const std::size_t colon = text.find("://");
  if (colon == std::string_view::npos) invalid(text, "missing protocol scheme");
  Url url;
  url.scheme = lower_case(text.substr(0, colon));
  if (url.scheme != "http" && url.scheme != "https") {
    invalid(text, "unsupported protocol scheme \"" + url.scheme + "\"");
  }
  std::string_view rest = text.substr(colon + 3);
  rest = rest.substr(0, rest.find('#'));
  const std::size_t path = std::min(rest.find_first_of("/?"), rest.size());
  std::string_view authority = rest.substr(0, path);
  // The text may hold a password: it is not repeated.
  if (authority.find('@') != std::string_view::npos) {
    throw Error(Kind::invalid_input, "parse URL: user information is not allowed");
  }
  url.host = take_host(authority, text);
  url.port = take_port(authority, default_port(url.scheme), text);
  url.target = clean_target(rest.substr(path));
  return url;
}

Url Url::resolve(std::string_view location) const {
  location = location.substr(0, location.find('#'));
  if (has_scheme(location)) return parse(location);
  if (location.starts_with("//")) return parse(scheme + ":" + std::string(location));
  if (std::any_of(location.begin(), location.end(), is_control)) {
    throw Error(Kind::invalid_input, "parse URL: invalid control character in URL");
  }
  Url url = *this;
  if (location.empty()) return url;
  if (location.starts_with('/')) {
    url.target = clean_target(location);
    return url;
  }
  const std::string_view path = std::string_view(target).substr(0, target.find('?'));
  if (location.starts_with('?')) {
    url.target = clean_target(std::string(path) + std::string(location));
    return url;
  }
  const std::size_t query = std::min(location.find('?'), location.size());
  const std::string merged =
      std::string(path.substr(0, path.rfind('/') + 1)) + std::string(location.substr(0, query));
  url.target = clean_target(remove_dot_segments(merged) + std::string(location.substr(query)));
  return url;
}

std::string Url::authority() const {
  const std::string name = host.find(':') == std::string::npos ? host : "[" + host + "]";
  return port == default_port(scheme) ? name : name + ":" + std::to_string(port);
}

std::string Url::str() const {
  return scheme + "://" + authority() + target;
}

bool Url::same_origin(const Url& other) const {
  return scheme == other.scheme && host == other.host && port == other.port;
}

}  // namespace lade::registry

#include "config/auth_file.hpp"

#include "base/error.hpp"
#include "config/base64.hpp"
#include "spec/json.hpp"

namespace lade::config {

namespace {

using spec::Json;

Json parse_object(std::string_view text, std::string_view what) {
  if (text.find_first_not_of(" \t\r\n") == std::string_view::npos) return Json::object();
  Json document = spec::parse_json(text, what);
  if (!document.is_object()) throw Error(Kind::invalid_input, std::string(what) + ": is not an object");
  return document;
}

AuthEntry parse_entry(const Json& value, std::string_view what) {
  if (value.is_null()) return {};
  if (!value.is_object()) throw Error(Kind::invalid_input, std::string(what) + " is not an object");
  return {spec::string_member(value, "auth", what), spec::string_member(value, "identitytoken", what),
          spec::string_member(value, "username", what), spec::string_member(value, "password", what)};
}

std::map<std::string, AuthEntry> parse_auths(const Json& auths, std::string_view what) {
  if (!auths.is_object()) throw Error(Kind::invalid_input, std::string(what) + ": auths is not an object");
  std::map<std::string, AuthEntry> result;
  for (const auto& [key, value] : auths.get_ref<const Json::object_t&>())
    result.emplace(key, parse_entry(value, std::string(what) + ": auths[" + spec::dump_json(key) + "]"));
  return result;
}

// Without trailing NUL bytes, which old versions of docker wrote.
std::string trim_nul(std::string text) {
  text.erase(text.find_last_not_of('\0') + 1);
  text.erase(0, text.find_first_not_of('\0'));
  return text;
}

Credentials decode(const AuthEntry& entry, const std::string& what) {
  if (entry.auth.empty()) return {entry.username, entry.password, entry.identity_token};
  const auto decoded = base64_decode(entry.auth);
  if (!decoded) throw Error(Kind::invalid_input, what + ": auth is not valid base64");
  const auto colon = decoded->find(':');
  if (colon == std::string::npos) return {"", "", entry.identity_token};
  return {decoded->substr(0, colon), trim_nul(decoded->substr(colon + 1)), entry.identity_token};
}

Json& object_member(Json& document, std::string_view what, const char* name) {
  Json& member = document[name];
  if (member.is_null()) member = Json::object();
  if (!member.is_object())
    throw Error(Kind::invalid_input, std::string(what) + ": " + name + " is not an object");
  return member;
}

// A line's leading spaces are its indentation: no string of JSON holds a line end.
std::string tab_indented(const Json& document) {
  std::string result;
  bool at_start = false;
  for (const char c : spec::dump_json(document, 1)) {
    result += at_start && c == ' ' ? '\t' : c;
    at_start = c == '\n' || (at_start && c == ' ');
  }
  return result;
}

Json entry_of(const Credentials& credentials) {
  Json entry = Json::object();
  if (!credentials.username.empty() || !credentials.password.empty())
    entry["auth"] = base64_encode(credentials.username + ":" + credentials.password);
  if (!credentials.identity_token.empty()) entry["identitytoken"] = credentials.identity_token;
  return entry;
}

}  // namespace

std::string host_of_auth_key(std::string_view key, AuthFile::Format format) {
  bool is_url = format == AuthFile::Format::legacy;
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (!key.starts_with(scheme)) continue;
    key.remove_prefix(scheme.size());
    is_url = true;
  }
  if (is_url) key = key.substr(0, key.find('/'));
  return key == "registry-1.docker.io" || key == "index.docker.io" ? "docker.io" : std::string(key);
}

std::string docker_server_url(std::string_view registry) {
  return registry == "docker.io" ? "https://index.docker.io/v1/" : std::string(registry);
}

AuthFile AuthFile::parse(std::string_view text, std::string_view what, Format format) {
  const Json document = parse_object(text, what);
  AuthFile result;
  result.what = what;
  result.format = format;
  if (format == Format::legacy) {
    result.auths = parse_auths(document, what);
    return result;
  }
  if (const Json* auths = spec::find_member(document, "auths")) result.auths = parse_auths(*auths, what);
  if (auto helpers = spec::string_map_member(document, "credHelpers", what))
    result.cred_helpers = *std::move(helpers);
  result.creds_store = spec::string_member(document, "credsStore", what);
  return result;
}

std::optional<Credentials> AuthFile::find(std::string_view registry, std::string_view path) const {
  const auto decoded = [&](const auto& entry) {
    return decode(entry.second, what + ": auths[" + spec::dump_json(entry.first) + "]");
  };
  std::string key(registry);
  if (!path.empty() && format == Format::current) key.append("/").append(path);
  while (true) {
    if (const auto found = auths.find(key); found != auths.end()) return decoded(*found);
    const auto slash = key.rfind('/');
    if (slash == std::string::npos) break;
    key.erase(slash);
  }
  const std::string host = host_of_auth_key(registry);
  for (const auto& entry : auths)
    if (host_of_auth_key(entry.first, format) == host) return decoded(entry);
  return std::nullopt;
}

std::optional<std::string> AuthFile::cred_helper_key(std::string_view registry) const {
  for (const auto& key : {std::string(registry), docker_server_url(registry)})
    if (const auto found = cred_helpers.find(key); found != cred_helpers.end() && !found->second.empty())
      return key;
  return std::nullopt;
}

std::string with_auth(std::string_view text, std::string_view what, const std::string& key,
                      const Credentials& credentials) {
  Json document = parse_object(text, what);
  object_member(document, what, "auths")[key] = entry_of(credentials);
  return tab_indented(document);
}

std::string without_auth(std::string_view text, std::string_view what, const std::string& key) {
  Json document = parse_object(text, what);
  object_member(document, what, "auths").erase(key);
  return tab_indented(document);
}

std::string without_auths(std::string_view text, std::string_view what, KeepHelpers helpers) {
  Json document = parse_object(text, what);
  object_member(document, what, "auths") = Json::object();
  if (helpers == KeepHelpers::no) document.erase("credHelpers");
  return tab_indented(document);
}

}  // namespace lade::config

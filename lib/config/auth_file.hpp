// auth.json and docker's config.json as values: text -> struct -> text, no file is touched here.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "config/credentials.hpp"

namespace lade::config {

// An entry of "auths", as it stands in the file.
struct AuthEntry {
  std::string auth;  // base64 of "user:password"
  std::string identity_token;
  std::string username, password;  // used when auth is empty
  bool operator==(const AuthEntry&) const = default;
};

// containers-auth.json(5), docker's config.json, and the old ~/.dockercfg.
struct AuthFile {
  enum class Format { current, legacy };  // legacy: the entries stand at the top

  std::string what;                                 // the file, for errors
  std::map<std::string, AuthEntry> auths;           // keys as they stand in the file
  std::map<std::string, std::string> cred_helpers;  // host -> NAME of docker-credential-NAME
  std::string creds_store;                          // NAME; "" if none
  Format format = Format::current;

  // Kind::invalid_input, naming `what` and the member, never a value. Unknown members are fine; "" is an
  // empty file.
  static AuthFile parse(std::string_view text, std::string_view what, Format format = Format::current);

  // The credentials for a registry ("host[:port]") and a repository in it ("ns/repo", or ""): the most
  // specific key first, then keys that are URLs of the host ("https://index.docker.io/v1/"). Empty
  // credentials are what docker writes when a helper holds them. nullopt if no key matches.
  // Kind::invalid_input if the entry found cannot be decoded.
  std::optional<Credentials> find(std::string_view registry, std::string_view path) const;

  // The helper set for the host: its key in "credHelpers", which is also what the helper is asked for.
  std::optional<std::string> cred_helper_key(std::string_view registry) const;
};

// The host that a key of "auths" is for: URL schemes and paths cut off, docker.io's other names joined into
// "docker.io".
std::string host_of_auth_key(std::string_view key, AuthFile::Format format = AuthFile::Format::current);

// How docker itself calls a registry in its files and helpers: "https://index.docker.io/v1/" for docker.io.
std::string docker_server_url(std::string_view registry);

// The text of an auth file after one change, everything else as it was; tabs for indentation, as Go writes
// it. Errors as AuthFile::parse.
std::string with_auth(std::string_view text, std::string_view what, const std::string& key,
                      const Credentials& credentials);  // empty credentials: docker's mark for "in a helper"
std::string without_auth(std::string_view text, std::string_view what, const std::string& key);
enum class KeepHelpers { no, yes };
std::string without_auths(std::string_view text, std::string_view what, KeepHelpers helpers);

}  // namespace lade::config

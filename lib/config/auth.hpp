// Where credentials are found and kept: auth.json files and docker-credential-* helpers.
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/context.hpp"
#include "config/auth_file.hpp"
#include "config/credential_helper.hpp"
#include "config/credentials.hpp"
#include "config/environment.hpp"

namespace lade::config {

// The name under which registries.conf's credential-helpers lists the auth files.
inline constexpr std::string_view auth_files_helper = "containers-auth.json";

struct AuthOptions {
  std::string auth_file{};         // --authfile; "": $REGISTRY_AUTH_FILE, then the default files
  std::string compat_auth_file{};  // --compat-auth-file: docker's config.json is read and written instead
  // registries.conf's credential-helpers (RegistriesConf::credential_helpers).
  std::vector<std::string> credential_helpers{std::string(auth_files_helper)};
  std::chrono::milliseconds helper_timeout{60'000};
};

// Thread-safe. Files are read when asked for, not before.
//
// Files read: the one that was named; else $XDG_RUNTIME_DIR/containers/auth.json
// (/run/containers/UID/auth.json without that variable), containers/auth.json in config_home(), config.json
// in $DOCKER_CONFIG or ~/.docker,
// ~/.dockercfg. The one written is the named one, else $DOCKER_CONFIG/config.json, else the first.
class AuthStore {
 public:
  // Kind::invalid_input if both files are named.
  AuthStore(Environment environment, AuthOptions options);

  // For host[:port] and the repository path in it ("" for the registry itself): credential helpers and files
  // in order, in each file credHelpers[host], then credsStore, then auths from the most specific key on.
  // nullopt: anonymous. Kind::not_found "credential file is not accessible: ..." if a file that was named is
  // not there. A credsStore that fails is passed over; other helpers that fail are an error if no later one
  // has credentials.
  std::optional<Credentials> find(const Context& context, const std::string& registry,
                                  const std::string& path) const;

  // Where find() has them from: a file's path, or "credential helper: NAME".
  std::optional<std::string> find_source(const Context& context, const std::string& registry,
                                         const std::string& path) const;

  // For login and logout: reads and writes only the file that is written, which need not exist.
  AuthStore for_editing() const;

  // `key` is host[:port][/ns[/repo]]. Returns where it was stored, for the user: a file's path, or
  // "credential helper: NAME". Kind::unsupported for a key with a path where only hosts can be kept.
  std::string set(const Context& context, const std::string& key, const Credentials& credentials) const;
  // From every helper and the file. False if there was nothing to remove.
  bool remove(const Context& context, const std::string& key) const;
  void remove_all(const Context& context) const;

  // Key -> user name, of files and helpers; host names instead of URLs.
  std::map<std::string, std::string> list(const Context& context) const;

 private:
  struct File {
    std::filesystem::path path;
    AuthFile::Format format = AuthFile::Format::current;
    bool required = false;
  };

  bool is_compat() const { return !options_.compat_auth_file.empty(); }
  std::filesystem::path default_file() const;
  std::vector<File> files() const;
  File file_to_edit() const;
  AuthFile load(const File& file) const;
  // Replaces the text of the file to edit by what `change` returns; nullopt leaves it alone.
  using Change = std::function<std::optional<std::string>(const std::string& text, const AuthFile& parsed)>;
  std::string edit(const Context& context, const Change& change) const;
  std::string file_key(const std::string& key) const;

  CredentialHelper helper(const std::string& name) const;
  std::vector<std::string> helpers() const;
  // The file's credsStore, if it has one that is installed: others fall back to "auths", and so do we.
  std::optional<CredentialHelper> store_of(const AuthFile& file) const;
  std::optional<Credentials> find_in_files(const Context& context, const std::string& registry,
                                           const std::string& path) const;
  std::optional<Credentials> find_in_file(const Context& context, const AuthFile& file,
                                          const std::string& registry, const std::string& path) const;
  std::string set_in_file(const Context& context, const std::string& key,
                          const Credentials& credentials) const;
  bool remove_from_file(const Context& context, const std::string& key) const;
  void remove_all_from_file(const Context& context) const;
  void list_file(const Context& context, const AuthFile& file,
                 std::map<std::string, std::string>& result) const;

  Environment environment_;
  AuthOptions options_;
  bool editing_ = false;
};

// "REG[:PORT][/NS[/REPO]]" of login and logout as a key; a URL becomes its host. Kind::invalid_input.
std::string parse_auth_key(const std::string& text);
// The part of a key before the first '/'.
std::string registry_of_key(const std::string& key);

}  // namespace lade::config

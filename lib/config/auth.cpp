#include "config/auth.hpp"

#include <algorithm>

#include "base/error.hpp"
#include "config/config_files.hpp"
#include "os/atomic_file.hpp"
#include "os/file.hpp"
#include "os/lock_file.hpp"
#include "spec/reference.hpp"

namespace lade::config {

namespace {

using std::filesystem::path;

bool is_namespaced(const std::string& key) {
  return key.find('/') != std::string::npos;
}

// Runs `attempt` for every helper until one says it is done; the errors of those that failed leave together
// if none is. One broken helper must not hide what the next one has.
template <class Attempt>
void first_that_works(const Context& context, const std::vector<std::string>& helpers, std::string_view what,
                      Attempt&& attempt) {
  std::optional<Error> failure;
  for (const auto& helper : helpers) {
    try {
      if (attempt(helper)) return;
    } catch (const Error& error) {
      context.log.debug(std::string(what) + " with credential helper " + helper + ": " + error.what());
      failure = failure ? Error(failure->kind(), std::string(failure->what()) + "; " + error.what()) : error;
    }
  }
  if (!failure) return;
  failure->add_context(std::string(what));
  throw *failure;
}

// Replacing a link would cut the file that it names off from its other users.
path resolve_link(const path& file) {
  std::error_code error;
  auto target = std::filesystem::canonical(file, error);
  return error ? file : target;
}

}  // namespace

AuthStore::AuthStore(Environment environment, AuthOptions options)
    : environment_(std::move(environment)), options_(std::move(options)) {
  if (!options_.auth_file.empty() && !options_.compat_auth_file.empty())
    throw Error(
        Kind::invalid_input,
        "options for paths to the credential file and to the Docker-compatible credential file can not "
        "be set simultaneously");
  if (options_.auth_file.empty() && !is_compat()) options_.auth_file = environment_.get("REGISTRY_AUTH_FILE");
}

AuthStore AuthStore::for_editing() const {
  AuthStore result = *this;
  result.editing_ = true;
  const auto docker = environment_.get("DOCKER_CONFIG");
  if (options_.auth_file.empty() && !is_compat() && !docker.empty())
    result.options_.compat_auth_file = (path(docker) / "config.json").string();
  return result;
}

path AuthStore::default_file() const {
  if (const auto runtime = environment_.get("XDG_RUNTIME_DIR"); !runtime.empty())
    return path(runtime) / "containers/auth.json";
  return environment_.system_path("/run/containers/" + std::to_string(environment_.uid) + "/auth.json");
}

AuthStore::File AuthStore::file_to_edit() const {
  if (is_compat()) return {options_.compat_auth_file};
  return {options_.auth_file.empty() ? default_file() : path(options_.auth_file)};
}

std::vector<AuthStore::File> AuthStore::files() const {
  if (is_compat() || !options_.auth_file.empty()) {
    File file = file_to_edit();
    file.required = !editing_;
    return {file};
  }
  std::vector<File> result{{default_file()}};
  if (const auto config = environment_.config_home(); !config.empty())
    result.push_back({config / "containers/auth.json"});
  if (const auto docker = environment_.get("DOCKER_CONFIG"); !docker.empty())
    result.push_back({path(docker) / "config.json"});
  else if (!environment_.home.empty())
    result.push_back({environment_.home / ".docker/config.json"});
  if (!environment_.home.empty())
    result.push_back({environment_.home / ".dockercfg", AuthFile::Format::legacy});
  return result;
}

AuthFile AuthStore::load(const File& file) const {
  std::string text;
  if (file.required)
    text = in_context("credential file is not accessible",
                      [&] { return os::read_file(file.path, max_config_file_size); });
  else
    text = os::find_file(file.path, max_config_file_size).value_or("");
  return AuthFile::parse(text, file.path.string(), file.format);
}

CredentialHelper AuthStore::helper(const std::string& name) const {
  return {name, environment_, options_.helper_timeout};
}

std::optional<CredentialHelper> AuthStore::store_of(const AuthFile& file) const {
  if (file.creds_store.empty()) return std::nullopt;
  auto store = helper(file.creds_store);
  return store.is_installed() ? std::optional(std::move(store)) : std::nullopt;
}

std::vector<std::string> AuthStore::helpers() const {
  // Docker knows nothing of the helpers in registries.conf.
  return is_compat() ? std::vector{std::string(auth_files_helper)} : options_.credential_helpers;
}

std::optional<Credentials> AuthStore::find(const Context& context, const std::string& registry,
                                           const std::string& path) const {
  std::optional<Credentials> result;
  first_that_works(context, helpers(), "looking up credentials for " + registry, [&](const auto& name) {
    result = name == auth_files_helper ? find_in_files(context, registry, path)
                                       : helper(name).find(context, registry);
    return result.has_value();
  });
  return result;
}

std::optional<std::string> AuthStore::find_source(const Context& context, const std::string& registry,
                                                  const std::string& path) const {
  std::optional<std::string> result;
  const auto look_into = [&](const std::string& name) {
    if (name != auth_files_helper) {
      if (helper(name).find(context, registry)) result = "credential helper: " + name;
      return result.has_value();
    }
    for (const auto& file : files()) {
      const auto found = find_in_file(context, load(file), registry, path);
      if (!found || found->empty()) continue;
      result = file.path.string();
      break;
    }
    return result.has_value();
  };
  first_that_works(context, helpers(), "looking up credentials for " + registry, look_into);
  return result;
}

std::optional<Credentials> AuthStore::find_in_files(const Context& context, const std::string& registry,
                                                    const std::string& path) const {
  for (const auto& file : files()) {
    auto found = find_in_file(context, load(file), registry, path);
    if (!found || found->empty()) continue;
    context.log.debug("Found credentials for " + registry + " in file " + file.path.string());
    return found;
  }
  return std::nullopt;
}

std::optional<Credentials> AuthStore::find_in_file(const Context& context, const AuthFile& file,
                                                   const std::string& registry,
                                                   const std::string& path) const {
  if (const auto key = file.cred_helper_key(registry))
    return helper(file.cred_helpers.at(*key)).find(context, *key);
  if (const auto store = store_of(file)) {
    std::optional<Credentials> found;
    // Other readers of such files have never asked the store: its failure must not keep us from what they
    // use.
    try {
      found = store->find(context, docker_server_url(registry));
    } catch (const Error& error) {
      context.log.debug("Passing over credsStore of " + file.what + ": " + error.what());
    }
    if (found) return found;
  }
  return file.find(registry, path);
}

std::string AuthStore::file_key(const std::string& key) const {
  if (!is_compat()) return key;
  if (is_namespaced(key))
    throw Error(
        Kind::unsupported,
        "Credentials cannot be recorded in Docker-compatible format with namespaced key \"" + key + "\"");
  return docker_server_url(key);
}

std::string AuthStore::edit(const Context& context, const Change& change) const {
  const path file = resolve_link(file_to_edit().path);
  const path directory = file.parent_path().empty() ? "." : file.parent_path();
  os::mkdir_all(directory, 0700);
  const os::LockFile lock(context, directory);
  const auto text = os::find_file(file, max_config_file_size).value_or("");
  const auto changed = in_context([&] { return "updating " + file.string(); },
                                  [&] { return change(text, AuthFile::parse(text, file.string())); });
  if (changed) os::write_file(file, *changed, {.mode = 0600, .sync = true});
  return file.string();
}

std::string AuthStore::set(const Context& context, const std::string& key,
                           const Credentials& credentials) const {
  if (!editing_) return for_editing().set(context, key, credentials);
  std::string where;
  first_that_works(context, helpers(), "storing credentials for " + key, [&](const auto& name) {
    if (name == auth_files_helper) {
      where = set_in_file(context, key, credentials);
    } else if (is_namespaced(key)) {
      throw Error(Kind::unsupported, "namespaced key is not supported for credential helper " + name);
    } else {
      helper(name).store(context, key, credentials);
      where = "credential helper: " + name;
    }
    return true;
  });
  return where;
}

std::string AuthStore::set_in_file(const Context& context, const std::string& given,
                                   const Credentials& credentials) const {
  const std::string key = file_key(given);
  std::string helper_used;
  const auto file = edit(context, [&](const std::string& text, const AuthFile& parsed) {
    if (const auto helper_key = parsed.cred_helper_key(given)) {
      helper_used = parsed.cred_helpers.at(*helper_key);
      helper(helper_used).store(context, *helper_key, credentials);
      return std::optional<std::string>();
    }
    if (const auto store = store_of(parsed); store && !is_namespaced(given)) {
      helper_used = parsed.creds_store;
      store->store(context, docker_server_url(given), credentials);
      return std::optional(with_auth(text, parsed.what, key, {}));
    }
    return std::optional(with_auth(text, parsed.what, key, credentials));
  });
  return helper_used.empty() ? file : "credential helper: " + helper_used;
}

bool AuthStore::remove(const Context& context, const std::string& key) const {
  if (!editing_) return for_editing().remove(context, key);
  bool removed = false;
  first_that_works(context, helpers(), "removing credentials for " + key, [&](const auto& name) {
    if (name == auth_files_helper)
      removed |= remove_from_file(context, key);
    else if (!is_namespaced(key))
      removed |= helper(name).erase(context, key);
    return false;  // they are removed everywhere
  });
  return removed;
}

bool AuthStore::remove_from_file(const Context& context, const std::string& given) const {
  const std::string key = file_key(given);
  bool removed = false;
  edit(context, [&](const std::string& text, const AuthFile& parsed) -> std::optional<std::string> {
    if (const auto helper_key = parsed.cred_helper_key(given))
      removed = helper(parsed.cred_helpers.at(*helper_key)).erase(context, *helper_key);
    else if (const auto store = store_of(parsed); store && !is_namespaced(given))
      removed = store->erase(context, docker_server_url(given));
    if (!parsed.auths.contains(key)) return std::nullopt;
    removed = true;
    return without_auth(text, parsed.what, key);
  });
  return removed;
}

void AuthStore::remove_all(const Context& context) const {
  if (!editing_) return for_editing().remove_all(context);
  first_that_works(context, helpers(), "removing all credentials", [&](const auto& name) {
    if (name == auth_files_helper) {
      remove_all_from_file(context);
    } else {
      const auto program = helper(name);
      for (const auto& [server, user] : program.list(context)) program.erase(context, server);
    }
    return false;
  });
}

void AuthStore::remove_all_from_file(const Context& context) const {
  edit(context, [&](const std::string& text, const AuthFile& parsed) -> std::optional<std::string> {
    for (const auto& [server, name] : parsed.cred_helpers) helper(name).erase(context, server);
    // The store may hold what others put there: only what this file lists is ours.
    if (const auto store = store_of(parsed))
      for (const auto& [key, entry] : parsed.auths)
        if (!is_namespaced(host_of_auth_key(key)))
          store->erase(context, docker_server_url(host_of_auth_key(key)));
    if (text.empty()) return std::nullopt;
    return without_auths(text, parsed.what, is_compat() ? KeepHelpers::yes : KeepHelpers::no);
  });
}

std::map<std::string, std::string> AuthStore::list(const Context& context) const {
  std::map<std::string, std::string> result;
  first_that_works(context, helpers(), "listing credentials", [&](const auto& name) {
    if (name == auth_files_helper)
      for (const auto& file : files()) list_file(context, load(file), result);
    else
      result.merge(helper(name).list(context));
    return false;
  });
  return result;
}

void AuthStore::list_file(const Context& context, const AuthFile& file,
                          std::map<std::string, std::string>& result) const {
  const auto add = [&](const std::string& key) {
    const auto slash = std::min(key.find('/'), key.size());
    const auto found =
        find_in_file(context, file, key.substr(0, slash), slash < key.size() ? key.substr(slash + 1) : "");
    if (found && !found->empty()) result.try_emplace(key, found->username);
  };
  for (const auto& [key, entry] : file.auths) add(host_of_auth_key(key, file.format));
  for (const auto& [key, name] : file.cred_helpers) add(host_of_auth_key(key));
}

std::string registry_of_key(const std::string& key) {
  return key.substr(0, key.find('/'));
}

std::string parse_auth_key(const std::string& text) {
  for (const std::string_view scheme : {"https://", "http://"})
    if (text.starts_with(scheme)) return registry_of_key(text.substr(scheme.size()));
  const std::string registry = registry_of_key(text);
  if (registry.empty() || registry.find_first_of("@ ") != std::string::npos)
    throw Error(Kind::invalid_input, "invalid registry \"" + text + "\"");
  if (registry == text) return text;
  const auto reference =
      in_context("parse reference from \"" + text + "\"", [&] { return spec::Reference::parse(text); });
  if (!reference.is_name_only())
    throw Error(Kind::invalid_input, "reference \"" + reference.str() + "\" contains tag or digest");
  if (reference.domain() != registry)
    throw Error(Kind::invalid_input, "\"" + text + "\" does not begin with the name of a registry");
  return text;
}

}  // namespace lade::config

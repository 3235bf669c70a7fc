#include "registry/login.hpp"

#include <algorithm>

#include "registry/client.hpp"

namespace lade::registry {

namespace {

using config::Credentials;

// False if the registry refuses these credentials; other failures throw.
bool are_valid(const Context& context, const std::string& registry, const Credentials& credentials,
               Options connection) {
  connection.credentials = credentials;
  connection.no_credentials = credentials.empty();
  connection.find_credentials = nullptr;
  connection.registry_token.clear();
  try {
    Client::make(registry, "", Access::pull, connection)->check_login(context);
    return true;
  } catch (const RegistryError& error) {
    if (error.status() != 401) throw;
    context.log.debug("error logging into \"" + registry + "\": " + error.what());
    return false;
  }
}

std::string trimmed(const std::string& text) {
  const auto first = text.find_first_not_of(" \t\r\n");
  if (first == std::string::npos) return "";
  return text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1);
}

std::string password_of_stdin(const LoginOptions& options, const LoginDialog& dialog) {
  if (!options.password.empty())
    throw Error(Kind::invalid_input, "can't specify both --password-stdin and --password");
  if (options.username.empty())
    throw Error(Kind::invalid_input, "must provide --username with --password-stdin");
  std::string text = dialog.read_stdin();
  std::erase_if(text, [](char c) { return c == '\n' || c == '\r'; });
  return text;
}

// `known`: the user's name in the existing credentials, taken for an empty answer.
Credentials ask_for_missing(const LoginOptions& options, std::string password, const std::string& known,
                            const LoginDialog& dialog) {
  std::string username = options.username;
  if (username.empty()) {
    username = trimmed(dialog.ask_name(known.empty() ? "Username: " : "Username (" + known + "): "));
    if (username.empty()) username = known;
  }
  if (password.empty()) password = dialog.ask_password("Password: ");
  return {trimmed(username), std::move(password), ""};
}

struct Key {
  std::string key, registry;
  std::string path() const { return key == registry ? "" : key.substr(registry.size() + 1); }
};

Key parse_key(const std::string& text) {
  auto key = config::parse_auth_key(text);
  auto registry = config::registry_of_key(key);
  return {std::move(key), std::move(registry)};
}

Credentials existing(const Context& context, const config::AuthStore& store, const Key& key) {
  return in_context("get credentials",
                    [&] { return store.find(context, key.registry, key.path()).value_or(Credentials()); });
}

}  // namespace

void login(const Context& context, const config::AuthStore& given, const LoginOptions& options,
           const LoginDialog& dialog) {
  const auto store = given.for_editing();
  const Key key = parse_key(options.registry);
  const Credentials known = existing(context, store, key);
  if (options.get_login) {
    if (known.username.empty()) throw Error(Kind::not_found, "not logged into " + key.key);
    return dialog.print(known.username);
  }
  if (!known.identity_token.empty())
    throw Error(Kind::invalid_input, "currently logged in, auth file contains an Identity token");

  std::string password = options.password_from_stdin ? password_of_stdin(options, dialog) : options.password;
  const auto valid = [&](const Credentials& credentials) {
    return in_context("authenticating creds for \"" + key.key + "\"",
                      [&] { return are_valid(context, key.registry, credentials, options.connection); });
  };
  const bool nothing_given = options.username.empty() && password.empty();
  if (nothing_given && !known.username.empty() && !known.password.empty()) {
    dialog.print("Authenticating with existing credentials for " + key.key);
    if (valid(known))
      return dialog.print("Existing credentials are valid. Already logged in to " + key.registry);
    dialog.print("Existing credentials are invalid, please enter valid username and password");
  }
  const auto credentials = ask_for_missing(options, std::move(password), known.username, dialog);
  if (!valid(credentials))
    throw Error(Kind::denied, "logging into \"" + key.key + "\": invalid username/password");
  const auto where = store.set(context, key.key, credentials);
  if (options.verbose) dialog.print("Used:  " + where);
  dialog.print("Login Succeeded!");
}

void logout(const Context& context, const config::AuthStore& given, const LogoutOptions& options,
            const std::function<void(const std::string& line)>& print) {
  const auto store = given.for_editing();
  if (options.all) {
    if (!options.registry.empty()) throw Error(Kind::invalid_input, "--all takes no arguments");
    store.remove_all(context);
    return print("Removed login credentials for all registries");
  }
  const Key key = parse_key(options.registry);
  if (store.remove(context, key.key)) return print("Removed login credentials for " + key.key);
  const Credentials left = existing(context, store, key);
  if (!left.username.empty() && !left.password.empty() &&
      are_valid(context, key.registry, left, options.connection))
    return print(
        "Not logged into " + key.key +
        " with current tool. Existing credentials were established via docker login. Please use docker "
        "logout instead.");
  throw Error(Kind::not_found, "not logged into " + key.key);
}

}  // namespace lade::registry

// login and logout: checks credentials with the registry and keeps them.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "base/context.hpp"
#include "config/auth.hpp"
#include "registry/options.hpp"

namespace lade::registry {

struct LoginOptions {
  std::string registry{};            // REG[:PORT][/NS[/REPO]] as typed
  std::string username{};            // -u; "" if not given
  std::string password{};            // -p; "" if not given
  bool password_from_stdin = false;  // --password-stdin
  bool get_login = false;            // --get-login: only say who is logged in
  bool verbose = false;              // -v: say where the credentials are kept
  Options connection{};              // its credentials are not looked at
};

// How the front end talks to the person. Each function may throw.
struct LoginDialog {
  std::function<void(const std::string& line)> print;                  // a line, given without its end
  std::function<std::string(const std::string& prompt)> ask_name;      // echoed; "Username (alice): "
  std::function<std::string(const std::string& prompt)> ask_password;  // not echoed; "Password: "
  std::function<std::string()> read_stdin;  // all of it; line ends are dropped here
};

// Returns when the credentials are known to work and are stored.
// Errors: `logging into "X": invalid username/password` (Kind::denied), "not logged into X",
// "must provide --username with --password-stdin", "can't specify both --password-stdin and --password".
void login(const Context& context, const config::AuthStore& store, const LoginOptions& options,
           const LoginDialog& dialog);

struct LogoutOptions {
  std::string registry{};  // "" with all
  bool all = false;
  Options connection{};  // for looking whether credentials of docker's still work
};

// Errors: "not logged into X".
void logout(const Context& context, const config::AuthStore& store, const LogoutOptions& options,
            const std::function<void(const std::string& line)>& print);

}  // namespace lade::registry

#include "registry/login.hpp"

#include <fmt/format.h>

#include "common/option_groups.hpp"
#include "common/prompt.hpp"
#include "common/session.hpp"
#include "skopeo/commands.hpp"

namespace lade::skopeo {
namespace {

using common::Invocation;
using common::Option;
using common::ValueKind;

constexpr std::size_t longest_password = 64 * 1024;

std::vector<Option> store_options() {
  return {
      {.name = "authfile",
       .kind = ValueKind::text,
       .value_name = "PATH",
       .help = "path of the authentication file. Use REGISTRY_AUTH_FILE environment variable to override"},
      {.name = "compat-auth-file",
       .kind = ValueKind::text,
       .value_name = "PATH",
       .help = "path of a Docker-compatible config file to update instead"},
      {.name = "tls-verify", .help = "require HTTPS and verify certificates when accessing the registry"}};
}

std::vector<Option> login_options() {
  std::vector<Option> options = {
      {.name = "cert-dir",
       .kind = ValueKind::text,
       .value_name = "PATH",
       .help = "use certificates at the specified path to access the registry"},
      {.name = "get-login", .help = "Return the current login user for the registry"},
      {.name = "password", .short_name = 'p', .kind = ValueKind::text, .help = "Password for registry"},
      {.name = "password-stdin", .help = "Take the password from stdin"},
      {.name = "username", .short_name = 'u', .kind = ValueKind::text, .help = "Username for registry"},
      {.name = "verbose", .short_name = 'v', .help = "Write more detailed information to stdout"}};
  common::append(options, store_options());
  return options;
}

std::vector<Option> logout_options() {
  std::vector<Option> options = {
      {.name = "all",
       .short_name = 'a',
       .help = "Remove the cached credentials for all registries in the auth file"}};
  common::append(options, store_options());
  return options;
}

registry::LoginDialog dialog_on(Invocation& invocation) {
  common::Output& out = invocation.out;
  const std::stop_token stop = invocation.context.stop;
  registry::LoginDialog dialog;
  dialog.print = [&out](const std::string& line) { out.line(line); };
  dialog.ask_name = [&out, stop](const std::string& prompt) { return common::ask(out, prompt, stop); };
  dialog.ask_password = [&out, stop](const std::string& prompt) {
    return common::ask_secret(out, prompt, stop);
  };
  dialog.read_stdin = [stop] { return common::read_standard_input(longest_password, stop); };
  return dialog;
}

int run_login(Invocation& invocation) {
  const common::Flags& flags = invocation.flags;
  if (invocation.arguments.empty()) invocation.refuse_usage("please provide a registry to log in to");
  if (invocation.arguments.size() > 1)
    invocation.refuse_usage("login accepts only one registry to log in to");
  common::Session session(invocation);
  const registry::LoginOptions options{.registry = invocation.arguments[0],
                                       .username = flags.text("username"),
                                       .password = flags.text("password"),
                                       .password_from_stdin = flags.flag("password-stdin"),
                                       .get_login = flags.flag("get-login"),
                                       .verbose = flags.flag("verbose"),
                                       .connection = session.connection_options()};
  registry::login(invocation.context, session.auth_store(), options, dialog_on(invocation));
  return 0;
}

int run_logout(Invocation& invocation) {
  const bool all = invocation.flags.flag("all");
  if (all && !invocation.arguments.empty()) invocation.refuse_usage("--all takes no arguments");
  if (!all && invocation.arguments.empty())
    invocation.refuse_usage("please provide a registry to log out from");
  if (invocation.arguments.size() > 1)
    invocation.refuse_usage("logout accepts only one registry to log out from");
  common::Session session(invocation);
  const registry::LogoutOptions options{all ? "" : invocation.arguments[0], all,
                                        session.connection_options()};
  registry::logout(invocation.context, session.auth_store(), options,
                   [&](const std::string& line) { invocation.out.line(line); });
  return 0;
}

}  // namespace

const common::Command login_command{.name = "login",
                                    .summary = "Login to a container registry",
                                    .description = "Login to a container registry on a specified server.",
                                    .synopsis = "[command options] REGISTRY",
                                    .example = "login quay.io",
                                    .argument = common::ArgumentHint::registry,
                                    .options = login_options,
                                    .run = run_login,
                                    .needs_namespace = common::needs_no_namespace};

const common::Command logout_command{.name = "logout",
                                     .summary = "Logout of a container registry",
                                     .description = "Logout of a container registry on a specified server.",
                                     .synopsis = "[command options] REGISTRY",
                                     .example = "logout quay.io",
                                     .argument = common::ArgumentHint::registry,
                                     .options = logout_options,
                                     .run = run_logout,
                                     .needs_namespace = common::needs_no_namespace};

}  // namespace lade::skopeo

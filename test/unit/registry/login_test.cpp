#include "registry/login.hpp"

#include <doctest/doctest.h>

#include "client_fixture.hpp"
#include "support/temp_dir.hpp"

using namespace lade;
using namespace lade::test;

namespace {

// A registry that knows alice with the password good (base64 of "alice:good").
FakeAnswer answer_for_alice(const FakeRequest& request) {
  if (request.header("Authorization") == "Basic YWxpY2U6Z29vZA==") return {.body = "{}"};
  FakeAnswer answer = refused(401, "UNAUTHORIZED", "authentication required");
  answer.headers = {{"WWW-Authenticate", "Basic realm=\"r\""}};
  return answer;
}

struct LoginFixture : ClientFixture {
  LoginFixture() : ClientFixture(answer_for_alice) {
    environment.variables["XDG_RUNTIME_DIR"] = (directory / "run").string();
    environment.home = directory / "home";
    environment.root = directory / "root";
  }

  config::AuthStore store() const { return {environment, {}}; }

  // The lines that were printed and the questions asked, in order.
  std::string login(registry::LoginOptions login_options) {
    login_options.connection = options;
    std::string talk;
    const auto ask = [&talk](std::string answer) {
      return [&talk, answer](const std::string& prompt) {
        talk += "[" + prompt + "]";
        return answer;
      };
    };
    registry::login(context(), store(), login_options,
                    {.print = [&](const std::string& line) { talk += line + "\n"; },
                     .ask_name = ask(typed_name),
                     .ask_password = ask(typed_password),
                     .read_stdin = [&] { return standard_input; }});
    return talk;
  }

  std::string logout(const std::string& registry, bool all = false) {
    std::string talk;
    registry::logout(context(), store(), {.registry = registry, .all = all, .connection = options},
                     [&](const std::string& line) { talk += line + "\n"; });
    return talk;
  }

  void keep(const std::string& key, const std::string& user, const std::string& password) {
    store().set(context(), key, {user, password, ""});
  }
  std::string user(const std::string& registry, const std::string& path = "") {
    const auto found = store().find(context(), registry, path);
    return found ? found->username + ":" + found->password : "nobody";
  }

  Directory directory;
  config::Environment environment;
  std::string typed_name, typed_password, standard_input;
};

}  // namespace

TEST_CASE("login: credentials that work are stored") {
  LoginFixture f;
  CHECK(f.login({.registry = "reg.example", .username = "alice", .password = "good"}) ==
        "Login Succeeded!\n");
  CHECK(f.user("reg.example") == "alice:good");
  CHECK(f.pool->lines().front() == "GET https://reg.example/v2/");
}

TEST_CASE("login: a namespace keeps its own credentials, and -v says where") {
  LoginFixture f;
  const auto talk =
      f.login({.registry = "reg.example/ns", .username = "alice", .password = "good", .verbose = true});
  CHECK(talk == "Used:  " + (f.directory / "run/containers/auth.json").string() + "\nLogin Succeeded!\n");
  CHECK(f.user("reg.example", "ns/app") == "alice:good");
  CHECK(f.user("reg.example") == "nobody");
}

TEST_CASE("login: credentials that do not work are refused and not stored") {
  LoginFixture f;
  const auto error =
      error_of([&] { f.login({.registry = "reg.example", .username = "alice", .password = "bad"}); });
  CHECK(error.kind() == Kind::denied);
  CHECK(error.message() == "logging into \"reg.example\": invalid username/password");
  CHECK(f.user("reg.example") == "nobody");
}

TEST_CASE("login: what is missing is asked for") {
  LoginFixture f;
  f.typed_name = " alice\n";
  f.typed_password = "good";
  CHECK(f.login({.registry = "reg.example"}) == "[Username: ][Password: ]Login Succeeded!\n");
  CHECK(f.user("reg.example") == "alice:good");
}

TEST_CASE("login: existing credentials are tried before anything is asked") {
  LoginFixture f;
  f.keep("reg.example", "alice", "good");
  CHECK(f.login({.registry = "reg.example"}) ==
        "Authenticating with existing credentials for reg.example\n"
        "Existing credentials are valid. Already logged in to reg.example\n");
}

TEST_CASE("login: after existing credentials that do not work, an empty name keeps the user") {
  LoginFixture f;
  f.keep("reg.example", "alice", "old");
  f.typed_password = "good";
  CHECK(f.login({.registry = "reg.example"}) ==
        "Authenticating with existing credentials for reg.example\n"
        "Existing credentials are invalid, please enter valid username and password\n"
        "[Username (alice): ][Password: ]Login Succeeded!\n");
  CHECK(f.user("reg.example") == "alice:good");
}

TEST_CASE("login: a password from stdin loses its line ends and needs a user name") {
  LoginFixture f;
  f.standard_input = "good\r\n";
  CHECK(f.login({.registry = "reg.example", .username = "alice", .password_from_stdin = true}) ==
        "Login Succeeded!\n");
  CHECK(message_of([&] { f.login({.registry = "reg.example", .password_from_stdin = true}); }) ==
        "must provide --username with --password-stdin");
  CHECK(message_of([&] {
          f.login({.registry = "r.example", .username = "u", .password = "p", .password_from_stdin = true});
        }) == "can't specify both --password-stdin and --password");
}

TEST_CASE("login: --get-login only says who is logged in") {
  LoginFixture f;
  CHECK(message_of([&] { f.login({.registry = "reg.example", .get_login = true}); }) ==
        "not logged into reg.example");
  f.keep("reg.example", "alice", "p");
  CHECK(f.login({.registry = "https://reg.example/v2/", .get_login = true}) == "alice\n");
  CHECK(f.pool->lines().empty());
}

TEST_CASE("login: a registry that cannot be reached is no wrong password") {
  ClientFixture broken([](const FakeRequest&) -> FakeAnswer { return refused(500, "UNKNOWN", "down"); });
  LoginFixture f;
  f.options.pool = broken.pool;
  const auto text =
      message_of([&] { f.login({.registry = "reg.example", .username = "u", .password = "p"}); });
  CHECK(text.starts_with("authenticating creds for \"reg.example\": "));
}

TEST_CASE("login: credentials of the command line's own options are not what is checked") {
  LoginFixture f;
  f.options.credentials = config::Credentials{"alice", "good", ""};
  CHECK_THROWS_AS(f.login({.registry = "reg.example", .username = "alice", .password = "bad"}), Error);
}

TEST_CASE("logout: the entry goes, the others stay") {
  LoginFixture f;
  f.keep("reg.example", "alice", "good");
  f.keep("other.example", "bob", "p");
  CHECK(f.logout("reg.example") == "Removed login credentials for reg.example\n");
  CHECK(f.user("reg.example") == "nobody");
  CHECK(f.user("other.example") == "bob:p");
}

TEST_CASE("logout: without credentials it is an error") {
  LoginFixture f;
  CHECK(message_of([&] { f.logout("reg.example"); }) == "not logged into reg.example");
}

TEST_CASE("logout: credentials that docker keeps are left to docker") {
  LoginFixture f;
  f.directory.write("home/.docker/config.json",
                    R"({"auths": {"reg.example": {"auth": "YWxpY2U6Z29vZA=="}}})");
  CHECK(f.logout("reg.example") ==
        "Not logged into reg.example with current tool. Existing credentials were established via docker "
        "login. "
        "Please use docker logout instead.\n");
}

TEST_CASE("logout: all of them at once") {
  LoginFixture f;
  f.keep("reg.example", "alice", "good");
  CHECK(f.logout("", true) == "Removed login credentials for all registries\n");
  CHECK(f.user("reg.example") == "nobody");
  CHECK(message_of([&] { f.logout("reg.example", true); }) == "--all takes no arguments");
}

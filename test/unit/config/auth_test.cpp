#include "config/auth.hpp"

#include <doctest/doctest.h>
#include <sys/stat.h>

#include "config/base64.hpp"
#include "fixture.hpp"
#include "support/errors.hpp"

using namespace lade;
using namespace lade::config;

namespace {

std::string auths(const std::string& key, const std::string& user, const std::string& more = "") {
  return "{\"auths\": {\"" + key + "\": {\"auth\": \"" + base64_encode(user + ":secret") + "\"}}" + more +
         "}";
}

// A machine whose PATH holds docker-credential-fake, which keeps one file per server in <directory>/kept:
// the user's name is its content; the secret is always "kept".
struct AuthMachine : test::Machine {
  AuthMachine() {
    set("PATH", (directory / "bin").string() + ":/usr/bin:/bin");
    set("KEPT", (directory / "kept").string());
    write("kept/.there", "");
    add_helper("fake", R"sh(#!/bin/sh
none() { echo credentials not found in native keychain; exit 1; }
read -r line
file="$KEPT/$(echo "$line" | tr -c 'a-z0-9.\n' _)"
case $1 in
get) [ -f "$file" ] || none; echo "{\"Username\":\"$(cat "$file")\",\"Secret\":\"kept\"}" ;;
store) echo "$line" >>"$KEPT/stored" ;;
erase) [ -f "$file" ] || none; rm "$file" ;;
list) echo '{"listed.test":"lister"}' ;;
esac
)sh");
    add_helper("broken", "#!/bin/sh\necho no keychain here\nexit 1\n");
  }

  void add_helper(const std::string& name, std::string_view script) const {
    const std::string file = "bin/docker-credential-" + name;
    write(file, script);
    std::filesystem::permissions(directory / file, std::filesystem::perms::owner_all);
  }

  AuthStore store(AuthOptions options = {}) const { return {environment, std::move(options)}; }

  std::string user(const std::string& registry, const std::string& path = "",
                   AuthOptions options = {}) const {
    const auto found = store(std::move(options)).find(background(), registry, path);
    return !found ? "nobody" : found->identity_token.empty() ? found->username : found->identity_token;
  }
};

mode_t mode_of(const std::string& path) {
  struct stat status {};
  REQUIRE(::stat(path.c_str(), &status) == 0);
  return status.st_mode & 07777;
}

}  // namespace

TEST_CASE("auth store: without any file everyone is anonymous") {
  CHECK(AuthMachine().user("h.test") == "nobody");
}

TEST_CASE("auth store: the default files are read in order, and the first match wins") {
  const AuthMachine machine;
  machine.write("home/.dockercfg", "{\"https://h.test/v1/\": {\"username\": \"dockercfg\"}}");
  CHECK(machine.user("h.test") == "dockercfg");
  machine.write("home/.docker/config.json", auths("h.test", "docker"));
  CHECK(machine.user("h.test") == "docker");
  machine.write("home/.config/containers/auth.json", auths("h.test", "config"));
  CHECK(machine.user("h.test") == "config");
  machine.write("run/containers/auth.json", auths("h.test", "runtime"));
  CHECK(machine.user("h.test") == "runtime");
  machine.write("run/containers/auth.json", auths("other.test", "runtime"));
  CHECK(machine.user("h.test") == "config");
}

TEST_CASE("auth store: DOCKER_CONFIG moves docker's file, no XDG_RUNTIME_DIR moves the first to /run") {
  AuthMachine machine;
  machine.write("home/.docker/config.json", auths("h.test", "home"));
  machine.write("d/config.json", auths("h.test", "moved"));
  machine.set("DOCKER_CONFIG", machine.path("d"));
  CHECK(machine.user("h.test") == "moved");
  machine.write("root/run/containers/1000/auth.json", auths("h.test", "run"));
  machine.environment.variables.erase("XDG_RUNTIME_DIR");
  CHECK(machine.user("h.test") == "run");
}

TEST_CASE("auth store: a file that was named is the only one, and must be there to be read") {
  AuthMachine machine;
  machine.write("run/containers/auth.json", auths("h.test", "default"));
  machine.write("mine.json", auths("other.test", "mine"));
  CHECK(machine.user("other.test", "", {.auth_file = machine.path("mine.json")}) == "mine");
  CHECK(machine.user("h.test", "", {.auth_file = machine.path("mine.json")}) == "nobody");
  machine.set("REGISTRY_AUTH_FILE", machine.path("missing.json"));
  const auto error = test::error_of([&] { machine.user("h.test"); });
  CHECK(error.kind() == Kind::not_found);
  CHECK(std::string(error.what()).find("credential file is not accessible: open ") != std::string::npos);
}

TEST_CASE("auth store: both ways to name a file together are refused") {
  CHECK(test::kind_of([] { AuthMachine().store({.auth_file = "a", .compat_auth_file = "b"}); }) ==
        Kind::invalid_input);
}

TEST_CASE("auth store: credHelpers come before credsStore, and that before auths") {
  const AuthMachine machine;
  const std::string file = "run/containers/auth.json";
  machine.write(file, auths("h.test", "auths"));
  CHECK(machine.user("h.test") == "auths");
  machine.write("kept/h.test", "helper");
  machine.write(file, auths("h.test", "auths", ", \"credsStore\": \"fake\""));
  CHECK(machine.user("h.test") == "helper");
  machine.add_helper("other", "#!/bin/sh\necho '{\"Username\":\"other\",\"Secret\":\"s\"}'\n");
  machine.write(
      file, auths("h.test", "auths", ", \"credsStore\": \"fake\", \"credHelpers\": {\"h.test\": \"other\"}"));
  CHECK(machine.user("h.test", "ns/repo") == "other");
}

TEST_CASE("auth store: a credsStore that knows nothing, fails or is not installed leaves it to auths") {
  const AuthMachine machine;
  for (const auto* name : {"fake", "broken", "missing", "bad"}) {
    CAPTURE(name);
    machine.write("run/containers/auth.json",
                  auths("h.test", "auths", ", \"credsStore\": \"" + std::string(name) + "\""));
    CHECK(machine.user("h.test") == "auths");
  }
}

TEST_CASE("auth store: docker.io's credentials are kept under its old URL in a credsStore") {
  const AuthMachine machine;
  machine.write("kept/https___index.docker.io_v1_", "hub");
  machine.write("home/.docker/config.json", "{\"credsStore\": \"fake\"}");
  CHECK(machine.user("docker.io", "library/busybox") == "hub");
}

TEST_CASE("auth store: the user name <token> of a helper marks an identity token") {
  const AuthMachine machine;
  machine.write("kept/h.test", "<token>");
  machine.write("home/.docker/config.json", "{\"credHelpers\": {\"h.test\": \"fake\"}}");
  CHECK(machine.store().find(background(), "h.test", "") == Credentials{"", "", "kept"});
}

TEST_CASE("auth store: helpers of registries.conf are asked in order") {
  const AuthMachine machine;
  machine.write("run/containers/auth.json", auths("h.test", "file"));
  machine.write("kept/h.test", "helper");
  CHECK(machine.user("h.test", "", {.credential_helpers = {"fake", "containers-auth.json"}}) == "helper");
  CHECK(machine.user("h.test", "", {.credential_helpers = {"containers-auth.json", "fake"}}) == "file");
  CHECK(machine.user("h.test", "", {.credential_helpers = {"broken", "fake"}}) == "helper");
}

TEST_CASE("auth store: a failing helper is an error when no other has credentials") {
  const AuthMachine machine;
  CHECK(test::message_of([&] {
          machine.user("h.test", "", {.credential_helpers = {"broken", "missing", "containers-auth.json"}});
        }) ==
        "looking up credentials for h.test: docker-credential-broken get: exit status 1: no keychain here; "
        "exec: \"docker-credential-missing\": executable file not found in $PATH");
}

TEST_CASE("auth store: a helper's name cannot lead elsewhere") {
  const AuthMachine machine;
  machine.write("run/containers/auth.json", "{\"credHelpers\": {\"h.test\": \"../../evil\"}}");
  CHECK(test::kind_of([&] { machine.user("h.test"); }) == Kind::invalid_input);
}

TEST_CASE("auth store: a helper that hangs is given up") {
  const AuthMachine machine;
  machine.add_helper("slow", "#!/bin/sh\nexec sleep 100\n");
  CHECK(test::kind_of([&] {
          machine.user("h.test", "",
                       {.credential_helpers = {"slow"}, .helper_timeout = std::chrono::milliseconds(50)});
        }) == Kind::unavailable);
}

TEST_CASE("auth store: an answer that is no JSON is an error without the answer's text") {
  const AuthMachine machine;
  machine.add_helper("odd", "#!/bin/sh\necho secret\n");
  CHECK(test::message_of([&] { machine.user("h.test", "", {.credential_helpers = {"odd"}}); }) ==
        "looking up credentials for h.test: docker-credential-odd get: invalid JSON at byte 1");
}

TEST_CASE("auth store: set writes the first default file, mode 0600, directories included") {
  const AuthMachine machine;
  const auto where = machine.store().set(background(), "h.test/ns", {"u", "p", ""});
  CHECK(where == machine.path("run/containers/auth.json"));
  CHECK(machine.directory.read("run/containers/auth.json") ==
        "{\n\t\"auths\": {\n\t\t\"h.test/ns\": {\n\t\t\t\"auth\": \"dTpw\"\n\t\t}\n\t}\n}");
  CHECK(mode_of(where) == 0600);
  CHECK(mode_of(machine.path("run/containers")) == 0700);
  CHECK(machine.user("h.test", "ns/repo") == "u");
}

TEST_CASE("auth store: set follows a link instead of replacing it") {
  const AuthMachine machine;
  machine.write("real.json", "{}");
  std::filesystem::create_symlink(machine.path("real.json"), machine.path("link.json"));
  machine.store({.auth_file = machine.path("link.json")}).set(background(), "h.test", {"u", "p", ""});
  CHECK(std::filesystem::is_symlink(machine.path("link.json")));
  CHECK(machine.directory.read("real.json").find("h.test") != std::string::npos);
}

TEST_CASE("auth store: a file that cannot be parsed is not overwritten") {
  const AuthMachine machine;
  machine.write("run/containers/auth.json", "{broken");
  CHECK_THROWS_AS(machine.store().set(background(), "h.test", {"u", "p", ""}), Error);
  CHECK(machine.directory.read("run/containers/auth.json") == "{broken");
}

TEST_CASE("auth store: DOCKER_CONFIG and the compat option write docker's file with docker's keys") {
  AuthMachine machine;
  machine.set("DOCKER_CONFIG", machine.path("d"));
  CHECK(machine.store().set(background(), "docker.io", {"u", "p", ""}) == machine.path("d/config.json"));
  CHECK(machine.directory.read("d/config.json").find("\"https://index.docker.io/v1/\"") != std::string::npos);
  const auto compat = machine.store({.compat_auth_file = machine.path("c.json")});
  CHECK(test::message_of([&] {
          compat.set(background(), "h.test/ns", {"u", "p", ""});
        }) ==
        "storing credentials for h.test/ns: Credentials cannot be recorded in Docker-compatible format with "
        "namespaced key \"h.test/ns\"");
}

TEST_CASE("auth store: set goes to the helper that is configured for the host, or to the credsStore") {
  const AuthMachine machine;
  machine.write("run/containers/auth.json", "{\"credHelpers\": {\"h.test\": \"fake\"}}");
  CHECK(machine.store().set(background(), "h.test", {"u", "p", ""}) == "credential helper: fake");
  CHECK(machine.directory.read("kept/stored") == R"({"ServerURL":"h.test","Username":"u","Secret":"p"})"
                                                 "\n");
  machine.write("run/containers/auth.json", "{\"credsStore\": \"fake\"}");
  CHECK(machine.store().set(background(), "h.test", {"u", "p", ""}) == "credential helper: fake");
  CHECK(machine.directory.read("run/containers/auth.json").find("\"h.test\": {}") != std::string::npos);
}

TEST_CASE("auth store: without its credsStore set writes to the file") {
  const AuthMachine machine;
  machine.write("run/containers/auth.json", "{\"credsStore\": \"missing\"}");
  CHECK(machine.store().set(background(), "h.test", {"u", "p", ""}) ==
        machine.path("run/containers/auth.json"));
  CHECK(machine.user("h.test") == "u");
}

TEST_CASE("auth store: remove takes one entry away and says whether there was one") {
  const AuthMachine machine;
  const auto store = machine.store();
  store.set(background(), "a.test", {"a", "p", ""});
  store.set(background(), "b.test", {"b", "p", ""});
  CHECK(store.remove(background(), "a.test"));
  CHECK_FALSE(store.remove(background(), "a.test"));
  CHECK(machine.user("b.test") == "b");
}

TEST_CASE("auth store: remove asks helpers too") {
  const AuthMachine machine;
  machine.write("kept/h.test", "u");
  const auto store = machine.store({.credential_helpers = {"fake", "containers-auth.json"}});
  CHECK(store.remove(background(), "h.test"));
  CHECK_FALSE(machine.directory.has("kept/h.test"));
  CHECK_FALSE(store.remove(background(), "h.test"));
}

TEST_CASE("auth store: remove_all empties the file and its helpers, and keeps other members") {
  const AuthMachine machine;
  machine.write("kept/h.test", "u");
  machine.write("run/containers/auth.json",
                auths("a.test", "a", ", \"credHelpers\": {\"h.test\": \"fake\"}, \"other\": true"));
  machine.store().remove_all(background());
  CHECK(machine.directory.read("run/containers/auth.json") == "{\n\t\"auths\": {},\n\t\"other\": true\n}");
  CHECK_FALSE(machine.directory.has("kept/h.test"));
}

TEST_CASE("auth store: remove_all leaves a credsStore's foreign entries") {
  const AuthMachine machine;
  machine.write("kept/mine.test", "u");
  machine.write("kept/foreign.test", "u");
  machine.write("run/containers/auth.json", "{\"auths\": {\"mine.test\": {}}, \"credsStore\": \"fake\"}");
  machine.store().remove_all(background());
  CHECK_FALSE(machine.directory.has("kept/mine.test"));
  CHECK(machine.directory.has("kept/foreign.test"));
}

TEST_CASE("auth store: list names hosts and users of files and helpers") {
  const AuthMachine machine;
  machine.write("run/containers/auth.json", auths("https://index.docker.io/v1/", "hub"));
  machine.write("home/.config/containers/auth.json", auths("h.test/ns", "ns"));
  CHECK(machine.store({.credential_helpers = {"containers-auth.json", "fake"}}).list(background()) ==
        std::map<std::string, std::string>{
            {"docker.io", "hub"}, {"h.test/ns", "ns"}, {"listed.test", "lister"}});
}

TEST_CASE("auth key: hosts, namespaces and URLs are accepted") {
  CHECK(parse_auth_key("localhost:5000") == "localhost:5000");
  CHECK(parse_auth_key("docker.io/vendor") == "docker.io/vendor");
  CHECK(parse_auth_key("https://h.test:5000/v2/x") == "h.test:5000");
  CHECK(registry_of_key("h.test:5000/ns/repo") == "h.test:5000");
}

TEST_CASE("auth key: tags, digests and names without registry are refused") {
  for (const auto* text : {"", "h.test/ns:tag", "u@h.test", "h.test/UPPER", "vendor/repo", "h.test/"}) {
    CAPTURE(text);
    CHECK(test::kind_of([&] { parse_auth_key(text); }) == Kind::invalid_input);
  }
}

#include "config/auth_file.hpp"

#include <doctest/doctest.h>

#include "config/base64.hpp"
#include "support/errors.hpp"

using namespace lade;
using namespace lade::config;

namespace {

AuthFile parse(std::string_view text) {
  return AuthFile::parse(text, "auth.json");
}

std::string entry(const std::string& key, const std::string& user_and_password) {
  return "\"" + key + "\": {\"auth\": \"" + base64_encode(user_and_password) + "\"}";
}

std::string file_with(const std::string& auths) {
  return "{\"auths\": {" + auths + "}}";
}

std::string user_for(const AuthFile& file, std::string_view registry, std::string_view path) {
  const auto found = file.find(registry, path);
  return found ? found->username : "nobody";
}

}  // namespace

TEST_CASE("auth file: auth is base64 of user and password, and only the first colon divides them") {
  const auto found = parse(file_with(entry("h", "u:p:w"))).find("h", "");
  CHECK(found == Credentials{"u", "p:w", ""});
}

TEST_CASE("auth file: the most specific key wins") {
  const auto file = parse(file_with(entry("h:5", "host:p") + "," + entry("h:5/ns", "ns:p") + "," +
                                    entry("h:5/ns/repo", "repo:p")));
  CHECK(user_for(file, "h:5", "ns/repo") == "repo");
  CHECK(user_for(file, "h:5", "ns/other") == "ns");
  CHECK(user_for(file, "h:5", "nsx/repo") == "host");
  CHECK(user_for(file, "h:5", "") == "host");
  CHECK(user_for(file, "h:6", "ns/repo") == "nobody");
}

TEST_CASE("auth file: keys that are URLs match their host") {
  const auto file = parse(file_with(entry("https://index.docker.io/v1/", "docker:p") + "," +
                                    entry("http://old.test/v2/", "old:p")));
  CHECK(user_for(file, "docker.io", "library/busybox") == "docker");
  CHECK(user_for(file, "old.test", "") == "old");
  CHECK(user_for(file, "index.docker.io", "") == "docker");
}

TEST_CASE("auth file: docker's token keys do not stand for the host's credentials") {
  const auto file = parse(file_with(entry("https://index.docker.io/v1/access-token", "token:p") + "," +
                                    entry("https://index.docker.io/v1/", "docker:p")));
  CHECK(user_for(file, "docker.io", "") == "docker");
}

TEST_CASE("auth file: identity tokens, and plain user names and passwords, are read") {
  const auto file = parse(R"({"auths": {
    "a": {"auth": "dXNlcjo=", "identitytoken": "token"},
    "b": {"identitytoken": "alone"},
    "c": {"username": "u", "password": "p"}}})");
  CHECK(file.find("a", "") == Credentials{"user", "", "token"});
  CHECK(file.find("b", "") == Credentials{"", "", "alone"});
  CHECK(file.find("c", "") == Credentials{"u", "p", ""});
}

TEST_CASE("auth file: an empty entry is found and empty") {
  CHECK(parse(R"({"auths": {"h": {}, "n": null}})").find("h", "")->empty());
  CHECK(parse(R"({"auths": {"h": {}, "n": null}})").find("n", "")->empty());
}

TEST_CASE("auth file: NUL bytes around a password are dropped") {
  const std::string padded("u:p\0\0", 5);
  CHECK(parse(file_with(entry("h", padded))).find("h", "")->password == "p");
}

TEST_CASE("auth file: no text, no auths and null auths are empty files") {
  for (const auto* text : {"", " \n", "{}", "{\"auths\": null}", "{\"credHelpers\": null, \"other\": 1}"}) {
    CAPTURE(text);
    CHECK(parse(text).auths.empty());
  }
}

TEST_CASE("auth file: the old format has its entries at the top, by host") {
  const auto file =
      AuthFile::parse("{" + entry("https://h.test/v1/", "u:p") + "}", ".dockercfg", AuthFile::Format::legacy);
  CHECK(user_for(file, "h.test", "any/repo") == "u");
}

TEST_CASE("auth file: helpers are found by host, docker.io's also by its URL") {
  const auto file = parse(R"({"credHelpers": {"h": "pass", "https://index.docker.io/v1/": "desktop"}})");
  CHECK(file.cred_helper_key("h") == "h");
  CHECK(file.cred_helper_key("docker.io") == "https://index.docker.io/v1/");
  CHECK(file.cred_helper_key("x") == std::nullopt);
}

TEST_CASE("auth file: errors name the file and the key and never a value") {
  for (const auto& [text, message] :
       {std::pair{"[]", "auth.json: is not an object"},
        {"{\"auths\": []}", "auth.json: auths is not an object"},
        {"{\"auths\": {\"h\": \"c2VjcmV0\"}}", "auth.json: auths[\"h\"] is not an object"},
        {"{\"auths\": {\"h\": {\"auth\": 5}}}", "auth.json: auths[\"h\"]: auth is not a string"},
        {"{\"credsStore\": {}}", "auth.json: credsStore is not a string"},
        {"{\"credHelpers\": {\"h\": 1}}", "auth.json: credHelpers is not a string"},
        {"{\"auths\": {\"h\": secret}}", "auth.json: invalid JSON at byte 17"}}) {
    CHECK(test::message_of([&, &text = text] { parse(text); }) == message);
  }
}

TEST_CASE("auth file: an entry that cannot be decoded hurts only who looks for it") {
  const auto file = parse("{\"auths\": {\"bad\": {\"auth\": \"!!\"}, " + entry("good", "u:p") + "}}");
  CHECK(user_for(file, "good", "") == "u");
  CHECK(test::message_of([&] { file.find("bad", ""); }) ==
        "auth.json: auths[\"bad\"]: auth is not valid base64");
}

TEST_CASE("auth file: setting an entry keeps everything else as it was, indented with tabs") {
  const auto text =
      with_auth(R"({"z": [1, {"a b": " x"}], "auths": {"old": {"auth": "b2xk", "email": "e"}}})", "f", "h/ns",
                {"u", "p", ""});
  CHECK(
      text ==
      "{\n\t\"z\": [\n\t\t1,\n\t\t{\n\t\t\t\"a b\": \" x\"\n\t\t}\n\t],\n\t\"auths\": {\n\t\t\"old\": {\n"
      "\t\t\t\"auth\": \"b2xk\",\n\t\t\t\"email\": \"e\"\n\t\t},\n\t\t\"h/ns\": {\n\t\t\t\"auth\": \"dTpw\"\n"
      "\t\t}\n\t}\n}");
}

TEST_CASE("auth file: what was set is found") {
  const Credentials token{"u", "", "token"};
  CHECK(parse(with_auth("", "f", "h", token)).find("h", "") == token);
  CHECK(parse(with_auth("", "f", "h", {})).find("h", "")->empty());
}

TEST_CASE("auth file: removing one entry, or all, leaves the other members") {
  const std::string text = R"({"auths": {"a": {}, "b": {}}, "credHelpers": {"c": "x"}, "k": 1})";
  CHECK(
      without_auth(text, "f", "a") ==
      "{\n\t\"auths\": {\n\t\t\"b\": {}\n\t},\n\t\"credHelpers\": {\n\t\t\"c\": \"x\"\n\t},\n\t\"k\": 1\n}");
  CHECK(without_auths(text, "f", KeepHelpers::no) == "{\n\t\"auths\": {},\n\t\"k\": 1\n}");
  CHECK(parse(without_auths(text, "f", KeepHelpers::yes)).cred_helpers.size() == 1);
}

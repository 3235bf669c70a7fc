#include <doctest/doctest.h>

#include <atomic>

#include "base/parallel.hpp"
#include "client_fixture.hpp"
#include "io/digester.hpp"
#include "registry/token.hpp"

using namespace lade;
using namespace lade::test;
using registry::Access;

namespace {

constexpr std::string_view manifest_url = "https://reg.example/v2/ns/app/manifests/latest";
const std::string manifest_text = R"({"schemaVersion":2})";

FakeAnswer manifest_answer() {
  return {.headers = {{"Content-Type", "application/vnd.oci.image.manifest.v1+json"}}, .body = manifest_text};
}

// A registry whose token server is auth.example; only `token` opens it.
FakePool::Answer guarded(std::string token) {
  return [token = std::move(token)](const FakeRequest& request) {
    if (request.url.starts_with("https://auth.example/")) return token_answer(token);
    return request.header("Authorization") == "Bearer " + token ? manifest_answer() : bearer_challenge();
  };
}

}  // namespace

TEST_CASE("the first request is the real one, and its 401 carries the challenge") {
  ClientFixture f(guarded("t1"));
  CHECK(f.client()->manifest(f.context(), "latest").bytes == manifest_text);
  const auto requests = f.pool->requests();
  REQUIRE(requests.size() == 3);
  CHECK(requests[0].line() == "GET " + std::string(manifest_url));
  CHECK(requests[0].header("Authorization").empty());
  CHECK(requests[1].url ==
        "https://auth.example/token?service=reg.example&scope=repository%3Ans%2Fapp%3Apull");
  CHECK(requests[1].header("Authorization").empty());
  CHECK(requests[2].header("Authorization") == "Bearer t1");
}

TEST_CASE("a token is sent at once in later requests, and by other clients of the pool") {
  ClientFixture f(guarded("t1"));
  f.client()->manifest(f.context(), "latest");
  f.client()->manifest(f.context(), "latest");
  CHECK(f.pool->requests().size() == 4);
  CHECK(f.pool->requests()[3].header("Authorization") == "Bearer t1");
}

TEST_CASE("once the challenge is known, a token for another scope is asked for without a 401") {
  ClientFixture f(guarded("t1"));
  f.client()->manifest(f.context(), "latest");
  f.client(Access::push)->manifest(f.context(), "latest");
  const auto lines = f.pool->lines();
  REQUIRE(lines.size() == 5);
  CHECK(lines[3] ==
        "GET https://auth.example/token?service=reg.example&scope=repository%3Ans%2Fapp%3Apull%2Cpush");
}

TEST_CASE("credentials go to the realm as Basic, with the account in the query") {
  ClientFixture f(guarded("t1"));
  f.options.credentials = registry::Credentials{"me", "secret", ""};
  f.client()->manifest(f.context(), "latest");
  const auto requests = f.pool->requests();
  CHECK(requests[0].header("Authorization").empty());
  CHECK(requests[1].url.starts_with("https://auth.example/token?account=me&service=reg.example&scope="));
  CHECK(requests[1].header("Authorization") == "Basic bWU6c2VjcmV0");
  CHECK(requests[2].header("Authorization") == "Bearer t1");
}

TEST_CASE("an identity token is posted as a refresh token and is never in a URL") {
  ClientFixture f([](const FakeRequest& request) {
    if (request.url == "https://auth.example/token") return FakeAnswer{.body = R"({"access_token":"t2"})"};
    return request.header("Authorization") == "Bearer t2" ? manifest_answer() : bearer_challenge();
  });
  f.options.credentials = registry::Credentials{"<token>", "", "id/tok"};
  f.client()->manifest(f.context(), "latest");
  const auto request = f.pool->requests()[1];
  CHECK(request.method == "POST");
  CHECK(request.body ==
        "grant_type=refresh_token&refresh_token=id%2Ftok&client_id=lade&service=reg.example&"
        "scope=repository%3Ans%2Fapp%3Apull");
}

TEST_CASE("Basic is answered with Basic, and sent at once from then on") {
  ClientFixture f([](const FakeRequest& request) {
    if (request.header("Authorization") == "Basic bWU6c2VjcmV0") return manifest_answer();
    return FakeAnswer{.status = 401, .headers = {{"WWW-Authenticate", R"(Basic realm="x")"}}};
  });
  f.options.credentials = registry::Credentials{"me", "secret", ""};
  auto client = f.client();
  client->manifest(f.context(), "latest");
  client->manifest(f.context(), "latest");
  CHECK(f.pool->requests().size() == 3);
}

TEST_CASE("without credentials a Basic challenge is an error that names what is missing") {
  ClientFixture f([](const FakeRequest&) {
    FakeAnswer answer = refused(401, "UNAUTHORIZED", "authentication required");
    answer.headers = {{"WWW-Authenticate", R"(Basic realm="x")"}};
    return answer;
  });
  CHECK_THROWS_WITH_AS(f.client()->manifest(f.context(), "latest"),
                       "reading manifest latest in reg.example/ns/app: authentication required", Error);
  CHECK(f.pool->requests().size() == 1);
}

TEST_CASE("credentials are looked up once, and only when they are asked for") {
  int lookups = 0;
  ClientFixture f(guarded("t1"));
  f.options.find_credentials = [&](const std::string& host, const std::string& path) {
    CHECK((host == "reg.example" && path == "ns/app"));
    ++lookups;
    return std::optional(registry::Credentials{"me", "secret", ""});
  };
  auto client = f.client();
  CHECK(lookups == 0);
  client->manifest(f.context(), "latest");
  client->manifest(f.context(), "latest");
  CHECK(lookups == 1);
  CHECK(f.pool->requests()[1].header("Authorization") == "Basic bWU6c2VjcmV0");
}

TEST_CASE("--no-creds asks for an anonymous token") {
  ClientFixture f(guarded("t1"));
  f.options.no_credentials = true;
  f.options.find_credentials = [](const auto&, const auto&) -> std::optional<registry::Credentials> {
    FAIL("looked up");
    return std::nullopt;
  };
  f.client()->manifest(f.context(), "latest");
  CHECK(f.pool->requests()[1].header("Authorization").empty());
}

TEST_CASE("a registry token is sent as it is and nothing else is tried") {
  ClientFixture f([](const FakeRequest& request) {
    CHECK(request.header("Authorization") == "Bearer given");
    return bearer_challenge();
  });
  f.options.registry_token = "given";
  CHECK_THROWS_AS(f.client()->manifest(f.context(), "latest"), Error);
  CHECK(f.pool->requests().size() == 1);
}

TEST_CASE("refused credentials are reported in the words of the token server") {
  ClientFixture f([](const FakeRequest& request) {
    if (request.url.starts_with("https://auth.example/")) {
      return refused(401, "UNAUTHORIZED", "incorrect username or password");
    }
    return bearer_challenge();
  });
  f.options.credentials = registry::Credentials{"me", "wrong", ""};
  try {
    f.client()->manifest(f.context(), "latest");
    FAIL("accepted");
  } catch (const Error& error) {
    CHECK(error.kind() == Kind::denied);
    CHECK(error.message() ==
          "unable to retrieve auth token: invalid username/password: unauthorized: incorrect username or "
          "password");
  }
}

TEST_CASE("a registry that answers 401 for ever is asked a bounded number of times") {
  int tokens = 0;
  ClientFixture f([&](const FakeRequest& request) {
    if (request.url.starts_with("https://auth.example/")) return token_answer("t" + std::to_string(++tokens));
    return bearer_challenge(R"(,error="insufficient_scope",scope="x:y:)" + std::to_string(tokens) + '"');
  });
  CHECK_THROWS_AS(f.client()->manifest(f.context(), "latest"), Error);
  CHECK(f.pool->requests().size() <= 6);
}

TEST_CASE("insufficient_scope leads to one token with the scope that the challenge names") {
  ClientFixture f([](const FakeRequest& request) {
    if (request.url.find("scope=repository%3Ans%2Fapp%3Apull&scope=wide%3Ax%3Apull") != std::string::npos) {
      return token_answer("wide");
    }
    if (request.url.starts_with("https://auth.example/")) return token_answer("narrow");
    if (request.header("Authorization") == "Bearer wide") return manifest_answer();
    if (request.header("Authorization").empty()) return bearer_challenge();
    return bearer_challenge(R"(,error="insufficient_scope",scope="wide:x:pull")");
  });
  CHECK(f.client()->manifest(f.context(), "latest").bytes == manifest_text);
}

TEST_CASE("an expired token is not sent, and one that was revoked is replaced") {
  std::string valid = "t1";
  ClientFixture f([&](const FakeRequest& request) {
    if (request.url.starts_with("https://auth.example/")) return token_answer(valid);
    return request.header("Authorization") == "Bearer " + valid ? manifest_answer() : bearer_challenge();
  });
  auto client = f.client();
  client->manifest(f.context(), "latest");
  SUBCASE("expired") {
    f.clock.advance(std::chrono::seconds(301));
    client->manifest(f.context(), "latest");
    CHECK(f.pool->requests().size() == 5);  // token, manifest
  }
  SUBCASE("revoked") {
    valid = "t2";
    client->manifest(f.context(), "latest");
    CHECK(f.pool->requests().size() == 6);  // 401, token, manifest
  }
}

TEST_CASE("a token lives at least a minute whatever the server says") {
  ClientFixture f([](const FakeRequest& request) {
    if (request.url.starts_with("https://auth.example/")) {
      return FakeAnswer{.body = R"({"token":"t1","expires_in":1})"};
    }
    return request.header("Authorization") == "Bearer t1" ? manifest_answer() : bearer_challenge();
  });
  auto client = f.client();
  client->manifest(f.context(), "latest");
  f.clock.advance(std::chrono::seconds(50));
  client->manifest(f.context(), "latest");
  CHECK(f.pool->requests().size() == 4);
}

TEST_CASE("the age of a token is told by the clock of the server that issued it") {
  ClientFixture f([](const FakeRequest& request) {
    if (request.url.starts_with("https://auth.example/")) {
      return FakeAnswer{.headers = {{"Date", "Sun, 06 Nov 1994 08:49:37 GMT"}},
                        .body = R"({"token":"t1","expires_in":300,"issued_at":"1994-11-06T08:45:37Z"})"};
    }
    return request.header("Authorization") == "Bearer t1" ? manifest_answer() : bearer_challenge();
  });
  auto client = f.client();
  client->manifest(f.context(), "latest");
  f.clock.advance(std::chrono::seconds(60));  // 240 + 60 > 300 - margin
  client->manifest(f.context(), "latest");
  CHECK(f.pool->lines()[3].starts_with("GET https://auth.example/"));
}

TEST_CASE("threads that need the same token share one request for it") {
  ClientFixture f(guarded("t1"));
  auto client = f.client();
  const auto context = f.context();
  parallel_for(context, 8, 8, [&](const Context&, std::size_t) { client->manifest(context, "latest"); });
  int tokens = 0;
  for (const auto& line : f.pool->lines()) tokens += line.starts_with("GET https://auth.example/");
  CHECK(tokens == 1);
}

TEST_CASE("when the request for a shared token fails, whoever waits for it tries again") {
  std::atomic<int> tokens{0};
  ClientFixture f([&](const FakeRequest& request) {
    if (request.url.starts_with("https://auth.example/")) {
      return ++tokens <= 2 ? FakeAnswer{.status = 403} : token_answer("t1");
    }
    return request.header("Authorization") == "Bearer t1" ? manifest_answer() : bearer_challenge();
  });
  auto client = f.client();
  const auto context = f.context();
  std::atomic<int> read{0};
  parallel_for(context, 4, 4, [&](const Context&, std::size_t) {
    try {
      client->manifest(context, "latest");
      ++read;
    } catch (const Error&) {
    }
  });
  CHECK(read == 2);
  CHECK(tokens == 3);
}

TEST_CASE("a stop ends the wait for a token that another thread asks for") {
  registry::TokenCache cache;
  FakeClock clock;
  std::stop_source stop;
  const Context patient{{}, null_logger(), silent_progress(), clock};
  const Context context = patient.with_stop(stop.get_token());
  const auto slow = [&] {
    CHECK_THROWS_AS(cache.get(context, "key", "", [] { return registry::Token{}; }), Cancelled);
    return registry::Token{"t1", clock.steady() + std::chrono::seconds(9)};
  };
  stop.request_stop();
  CHECK(cache.get(patient, "key", "", slow) == "t1");
}

TEST_CASE("tokens of different accounts are kept apart") {
  ClientFixture f(guarded("t1"));
  f.client()->manifest(f.context(), "latest");
  f.options.credentials = registry::Credentials{"me", "secret", ""};
  f.client()->manifest(f.context(), "latest");
  CHECK(f.pool->requests()[3].header("Authorization") == "Basic bWU6c2VjcmV0");
}

TEST_CASE("a token server without TLS is refused unless the registry is insecure") {
  ClientFixture f([](const FakeRequest& request) {
    if (request.url.starts_with("http://auth.example/")) return token_answer("t1");
    FakeAnswer answer = bearer_challenge();
    answer.headers = {{"WWW-Authenticate", R"(Bearer realm="http://auth.example/token",service="s")"}};
    return request.header("Authorization") == "Bearer t1" ? manifest_answer() : answer;
  });
  f.options.credentials = registry::Credentials{"me", "secret", ""};
  SUBCASE("secure") {
    CHECK_THROWS_AS(f.client()->manifest(f.context(), "latest"), Error);
    CHECK(f.pool->requests().size() == 1);
  }
  SUBCASE("insecure") {
    f.options.tls_verify = false;
    CHECK(f.client()->manifest(f.context(), "latest").bytes == manifest_text);
  }
}

TEST_CASE("a challenge from the target of a redirect gets no credentials and no token") {
  ClientFixture f([](const FakeRequest&) {
    FakeAnswer answer = bearer_challenge();
    answer.headers = {{"WWW-Authenticate", R"(Bearer realm="https://evil.example/token",service="s")"}};
    answer.url = "https://cdn.example/blob";
    return answer;
  });
  f.options.credentials = registry::Credentials{"me", "secret", ""};
  const auto digest = io::digest_of("x");
  CHECK_THROWS_AS(f.client()->blob(f.context(), digest, 1), Error);
  CHECK(f.pool->requests().size() == 1);
}

TEST_CASE("a token server that answers with something else gives a clear error") {
  std::string body;
  ClientFixture f([&](const FakeRequest& request) {
    if (request.url.starts_with("https://auth.example/")) return FakeAnswer{.body = body};
    return bearer_challenge();
  });
  for (const auto* text : {"<html>", "[]", "{}", R"({"token":7})", ""}) {
    CAPTURE(text);
    body = text;
    CHECK_THROWS_AS(f.client()->manifest(f.context(), "latest"), Error);
  }
  body = R"({"token":")" + std::string(2'000'000, 'x') + R"("})";
  CHECK_THROWS_AS(f.client()->manifest(f.context(), "latest"), Error);
}

TEST_CASE("check_login asks /v2/ and reports refused credentials as denied") {
  bool accept = true;
  ClientFixture f([&](const FakeRequest& request) {
    if (request.url == "https://auth.example/token?account=me&service=reg.example") {
      return accept ? token_answer("t1") : refused(401, "UNAUTHORIZED", "no");
    }
    CHECK(request.url == "https://reg.example/v2/");
    return request.header("Authorization") == "Bearer t1" ? FakeAnswer{} : bearer_challenge();
  });
  f.options.credentials = registry::Credentials{"me", "secret", ""};
  auto client = registry::Client::make("reg.example", "", Access::pull, f.options);
  SUBCASE("accepted") {
    client->check_login(f.context());
  }
  SUBCASE("refused") {
    accept = false;
    CHECK_THROWS_WITH_AS(client->check_login(f.context()),
                         "unable to retrieve auth token: invalid username/password: unauthorized: no", Error);
  }
}

TEST_CASE("check_login reports a Basic refusal in the same words") {
  ClientFixture f([](const FakeRequest&) {
    FakeAnswer answer = refused(401, "UNAUTHORIZED", "authentication required");
    answer.headers = {{"WWW-Authenticate", R"(Basic realm="x")"}};
    return answer;
  });
  f.options.credentials = registry::Credentials{"me", "wrong", ""};
  auto client = registry::Client::make("reg.example", "", Access::pull, f.options);
  CHECK_THROWS_WITH_AS(client->check_login(f.context()),
                       "unable to retrieve auth token: invalid username/password: authentication required",
                       Error);
  CHECK(f.pool->requests().size() == 2);
}

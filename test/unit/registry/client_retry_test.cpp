#include <doctest/doctest.h>

#include "client_fixture.hpp"
#include "registry/retry.hpp"

using namespace lade;
using namespace lade::test;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

// Answers the first `failures` requests with `failure`, the others with a manifest.
FakePool::Answer failing(int failures, FakeAnswer failure) {
  return [left = failures, failure](const FakeRequest&) mutable {
    if (left-- > 0) return failure;
    return FakeAnswer{.headers = {{"Content-Type", "application/vnd.oci.image.manifest.v1+json"}},
                      .body = "{}"};
  };
}

}  // namespace

TEST_CASE("temporary failures are repeated with growing pauses") {
  for (const int status : {408, 500, 502, 503, 504}) {
    CAPTURE(status);
    ClientFixture f(failing(3, {.status = status}));
    CHECK(f.client()->manifest(f.context(), "v1").bytes == "{}");
    const auto sleeps = f.clock.sleeps();
    REQUIRE(sleeps.size() == 3);
    CHECK((sleeps[0] >= milliseconds(500) && sleeps[0] <= milliseconds(625)));
    CHECK((sleeps[2] >= milliseconds(2000) && sleeps[2] <= milliseconds(2500)));
  }
}

TEST_CASE("after five tries the failure is reported") {
  ClientFixture f(failing(100, {.status = 502}));
  const Error error = error_of([&] { f.client()->manifest(f.context(), "v1"); });
  CHECK(error.kind() == Kind::unavailable);
  CHECK(error.message() == "received unexpected HTTP status: 502 Bad Gateway");
  CHECK(f.pool->requests().size() == 5);
}

TEST_CASE("Retry-After is kept, in seconds and as a date, and cut to a minute") {
  struct Row {
    std::string value;
    seconds pause;
  };
  for (const Row& row : {Row{"7", seconds(7)}, Row{"Fri, 02 Jan 2026 00:00:09 GMT", seconds(9)},
                         Row{"86400", seconds(60)}, Row{"soon", seconds(2)}, Row{"", seconds(2)}}) {
    CAPTURE(row.value);
    ClientFixture f(failing(1, {.status = 429, .headers = {{"Retry-After", row.value}}}));
    f.client()->manifest(f.context(), "v1");
    REQUIRE(f.clock.sleeps().size() == 1);
    CHECK(f.clock.sleeps()[0] >= row.pause);
    CHECK(f.clock.sleeps()[0] <= std::min<milliseconds>(milliseconds(row.pause) * 5 / 4, seconds(60)));
  }
}

TEST_CASE("a registry that always says 429 is given up with the words that scripts know") {
  ClientFixture f(
      failing(100, refused(429, "TOOMANYREQUESTS", "toomanyrequests: You have reached your limit")));
  CHECK(error_of([&] { f.client()->manifest(f.context(), "v1"); }).message() ==
        "too many requests to registry");
}

TEST_CASE("answers that are final are not repeated") {
  for (const int status : {400, 403, 404, 501, 505}) {
    CAPTURE(status);
    ClientFixture f(failing(100, {.status = status}));
    CHECK_THROWS_AS(f.client()->manifest(f.context(), "v1"), Error);
    CHECK(f.pool->requests().size() == 1);
  }
}

TEST_CASE("a connection to a registry that never answered is not tried again") {
  ClientFixture f(failing(100, {.error = "dial tcp: connect: connection refused"}));
  CHECK(message_of([&] { f.client()->manifest(f.context(), "v1"); }) ==
        "reading manifest v1 in reg.example/ns/app: pinging container registry reg.example: "
        "Get \"https://reg.example/v2/ns/app/manifests/v1\": dial tcp: connect: connection refused");
  CHECK(f.pool->requests().size() == 1);
}

TEST_CASE("a broken connection to a registry that has answered is tried again") {
  int requests = 0;
  ClientFixture f([&](const FakeRequest&) {
    if (++requests == 2) return FakeAnswer{.error = "read: connection reset by peer"};
    return FakeAnswer{.body = "{}"};
  });
  auto client = f.client();
  client->manifest(f.context(), "v1");
  CHECK(client->manifest(f.context(), "v1").bytes == "{}");
  CHECK(requests == 3);
}

TEST_CASE("a stop ends the pause") {
  ClientFixture f(failing(100, {.status = 503}));
  f.stop.request_stop();
  CHECK_THROWS_AS(f.client()->manifest(f.context(), "v1"), Cancelled);
}

TEST_CASE("pauses double, are varied upwards only, and have a bounded sum") {
  FakeClock clock;
  const Context context{{}, null_logger(), silent_progress(), clock};
  registry::Retry retry(context, {.tries = 100, .total = seconds(100)});
  while (retry.wait()) {
  }
  milliseconds sum{0}, base{500};
  for (const auto pause : clock.sleeps()) {
    CHECK((pause >= base && pause <= base * 5 / 4));
    base = std::min<milliseconds>(base * 2, seconds(60));
    sum += pause;
  }
  CHECK(sum <= seconds(100));
}

TEST_CASE("an insecure registry that does not speak https is spoken to in plain HTTP, and remembered") {
  ClientFixture f([](const FakeRequest& request) {
    if (request.url.starts_with("https://")) {
      return FakeAnswer{.error = "http: server gave HTTP response to HTTPS client"};
    }
    return FakeAnswer{.body = "{}"};
  });
  SUBCASE("insecure") {
    f.options.tls_verify = false;
    f.client()->manifest(f.context(), "v1");
    f.client()->manifest(f.context(), "v2");
    auto lines = f.pool->lines();
    std::sort(lines.begin(), lines.begin() + 2);  // both schemes are asked at once
    CHECK(lines == std::vector<std::string>{"GET http://reg.example/v2/ns/app/manifests/v1",
                                            "GET https://reg.example/v2/ns/app/manifests/v1",
                                            "GET http://reg.example/v2/ns/app/manifests/v2"});
  }
  SUBCASE("secure") {
    CHECK_THROWS_AS(f.client()->manifest(f.context(), "v1"), Error);
    CHECK(f.pool->requests().size() == 1);
  }
}

TEST_CASE("an insecure registry that speaks https stays with it when it fails later") {
  int requests = 0;
  ClientFixture f([&](const FakeRequest& request) {
    if (request.url.starts_with("http://")) return FakeAnswer{.status = 400};
    return ++requests == 1 ? FakeAnswer{.body = "{}"} : FakeAnswer{.error = "connection reset"};
  });
  f.options.tls_verify = false;
  auto client = f.client();
  client->manifest(f.context(), "v1");
  CHECK_THROWS_AS(client->manifest(f.context(), "v2"), Error);
  for (const auto& line : f.pool->lines()) CHECK(line != "GET http://reg.example/v2/ns/app/manifests/v2");
}

TEST_CASE("the question in plain HTTP beside https carries no credentials and changes nothing") {
  ClientFixture f([](const FakeRequest& request) {
    if (request.url.starts_with("https://")) return FakeAnswer{.error = "connection refused"};
    return FakeAnswer{.status = 404};
  });
  f.options.tls_verify = false;
  SUBCASE("a token that is given is not sent to a registry of unknown scheme") {
    f.options.registry_token = "secret";
    CHECK_THROWS_AS(f.client()->manifest(f.context(), "v1"), Error);
    CHECK(f.pool->lines().front() == "GET https://reg.example/v2/ns/app/manifests/v1");
  }
  SUBCASE("a deletion is tried by https first") {
    CHECK_THROWS_AS(f.client()->delete_tag(f.context(), "v1"), Error);
    CHECK(f.pool->lines().front().starts_with("DELETE https://"));
  }
}

TEST_CASE("a registry's warnings are logged once") {
  struct Log final : Logger {
    std::vector<std::string> lines;
    bool enabled(Level) const noexcept override { return true; }
    void log(Level level, std::string_view message) noexcept override {
      if (level == Level::warning) lines.emplace_back(message);
    }
  } log;
  ClientFixture f([](const FakeRequest&) {
    return FakeAnswer{.headers = {{"Warning", "299 - \"old client\""}, {"Warning", "199 - \"x\""}},
                      .body = "{}"};
  });
  auto client = f.client();
  const Context context{{}, log, silent_progress(), f.clock};
  client->manifest(context, "v1");
  client->manifest(context, "v1");
  CHECK(log.lines == std::vector<std::string>{"Warning from registry: \"old client\""});
}

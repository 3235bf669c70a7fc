#include <doctest/doctest.h>

#include "client_fixture.hpp"
#include "io/digester.hpp"
#include "spec/media_type.hpp"

using namespace lade;
using namespace lade::test;

namespace {

FakeAnswer page(const std::string& body, const std::string& link = "") {
  FakeAnswer answer{.headers = {{"Content-Type", "application/json"}}, .body = body};
  if (!link.empty()) answer.headers.emplace_back("Link", link);
  return answer;
}

std::vector<std::string> tags(ClientFixture& f) {
  return f.client()->tags(f.context());
}

std::string index_of(const std::string& text) {
  return R"({"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[)"
         R"({"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":")" +
         io::digest_of(text).str() + R"(","size":)" + std::to_string(text.size()) + "}]}";
}

FakeAnswer index_answer(const std::string& text) {
  FakeAnswer answer{.body = index_of(text)};
  answer.headers = {{"Content-Type", std::string(spec::media_type::oci_index)}};
  return answer;
}

}  // namespace

TEST_CASE("tags come in the registry's order, without empty ones and digests") {
  ClientFixture f([](const FakeRequest&) {
    return page(R"({"name":"ns/app","tags":["z","a","","sha256:)" + std::string(64, 'a') + R"(","m"]})");
  });
  CHECK(tags(f) == std::vector<std::string>{"z", "a", "m"});
  CHECK(f.pool->lines() == std::vector<std::string>{"GET https://reg.example/v2/ns/app/tags/list"});
}

TEST_CASE("no tags and null tags are an empty list") {
  for (const auto* body : {R"({"tags":null})", R"({"tags":[]})", "{}"}) {
    CAPTURE(body);
    ClientFixture f([&](const FakeRequest&) { return page(body); });
    CHECK(tags(f).empty());
  }
}

TEST_CASE("pages are followed by path and query of the link only") {
  ClientFixture f([](const FakeRequest& request) {
    if (request.url.ends_with("/list")) {
      return page(R"({"tags":["a"]})", R"(<http://inner:5000/v2/ns/app/tags/list?last=a&n=1>; rel="next")");
    }
    if (request.url.ends_with("last=a&n=1")) {
      return page(R"({"tags":["b"]})", R"(</x>; rel="prev", <list?last=b>; REL="next")");
    }
    return page(R"({"tags":["c"]})", R"(</v2/ns/app/tags/list>; rel="first")");
  });
  CHECK(tags(f) == std::vector<std::string>{"a", "b", "c"});
  CHECK(f.pool->lines()[1] == "GET https://reg.example/v2/ns/app/tags/list?last=a&n=1");
  CHECK(f.pool->lines()[2] == "GET https://reg.example/v2/ns/app/tags/list?last=b");
}

TEST_CASE("a link to a page that was read before ends in an error") {
  ClientFixture f(
      [](const FakeRequest&) { return page(R"({"tags":["a"]})", R"(</v2/ns/app/tags/list>; rel="next")"); });
  CHECK(message_of([&] { tags(f); }) ==
        "fetching tags list: the registry reg.example sends pages without end");
  CHECK(f.pool->requests().size() == 1);
}

TEST_CASE("endless pages end in an error") {
  int pages = 0;
  std::string body;
  ClientFixture f([&](const FakeRequest&) {
    return page(body, "<list?n=" + std::to_string(++pages) + R"(>; rel="next")");
  });
  SUBCASE("full") {
    body = R"({"tags":["a"]})";
  }
  SUBCASE("empty") {
    body = R"({"tags":[]})";
  }
  CHECK(kind_of([&] { tags(f); }) == Kind::invalid_input);
  CHECK(pages <= 10'000);
}

TEST_CASE("an invalid tag or a document of another kind is an error") {
  for (const auto* body : {R"({"tags":["a/b"]})", R"({"tags":[7]})", R"({"tags":"a"})", "[]", "<html>", ""}) {
    CAPTURE(body);
    ClientFixture f([&](const FakeRequest&) { return page(body); });
    CHECK(kind_of([&] { tags(f); }) == Kind::invalid_input);
  }
}

TEST_CASE("a registry that does not list tags says so in its words") {
  ClientFixture f(
      [](const FakeRequest&) { return FakeAnswer{.status = 404, .body = "404 page not found\n"}; });
  CHECK(message_of([&] { tags(f); }) == "fetching tags list: StatusCode: 404, \"404 page not found\\n\"");
}

TEST_CASE("repositories are listed with the scope of the catalog") {
  ClientFixture f([](const FakeRequest& request) {
    if (request.url.starts_with("https://auth.example/")) return token_answer("t");
    if (request.header("Authorization").empty()) return bearer_challenge();
    return page(R"({"repositories":["a","b/c"]})");
  });
  auto client = registry::Client::make("reg.example", "", registry::Access::pull, f.options);
  CHECK(client->repositories(f.context()) == std::vector<std::string>{"a", "b/c"});
  CHECK(f.pool->lines()[1].ends_with("scope=registry%3Acatalog%3A%2A"));
}

TEST_CASE("referrers come from the referrers API, page after page") {
  ClientFixture f([](const FakeRequest& request) {
    FakeAnswer answer = index_answer(request.url.ends_with("?p=2") ? "two" : "one");
    if (!request.url.ends_with("?p=2")) answer.headers.emplace_back("Link", "<?p=2>; rel=next");
    return answer;
  });
  const auto referrers = f.client()->referrers(f.context(), io::digest_of("x"));
  REQUIRE(referrers.size() == 2);
  CHECK(referrers[0].digest == io::digest_of("one"));
  CHECK(referrers[1].digest == io::digest_of("two"));
}

TEST_CASE("without the referrers API the tag is looked at") {
  const auto digest = io::digest_of("x");
  for (const auto& refusal : {FakeAnswer{.status = 404}, FakeAnswer{.status = 405},
                              FakeAnswer{.headers = {{"Content-Type", "text/html"}}, .body = "<html>"}}) {
    ClientFixture f([&](const FakeRequest& request) {
      if (request.url.find("/referrers/") != std::string::npos) return refusal;
      CHECK(request.url.ends_with("/manifests/sha256-" + digest.hex()));
      return index_answer("one");
    });
    CHECK(f.client()->referrers(f.context(), digest).at(0).digest == io::digest_of("one"));
  }
}

TEST_CASE("an image without referrers has none") {
  ClientFixture f([](const FakeRequest&) { return refused(404, "MANIFEST_UNKNOWN", ""); });
  CHECK(f.client()->referrers(f.context(), io::digest_of("x")).empty());
}

#include <doctest/doctest.h>

#include "registry/http.hpp"

using namespace lade;
using registry::Url;

TEST_CASE("a URL is taken apart and put together again") {
  const Url url = Url::parse("HTTPS://Registry.Example:5000/v2/a%2Fb/?q=%20#fragment");
  CHECK(url.scheme == "https");
  CHECK(url.host == "registry.example");
  CHECK(url.port == 5000);
  CHECK(url.target == "/v2/a%2Fb/?q=%20");
  CHECK(url.str() == "https://registry.example:5000/v2/a%2Fb/?q=%20");
}

TEST_CASE("the default port is set and left out of the authority") {
  CHECK(Url::parse("http://h").port == 80);
  CHECK(Url::parse("https://h:443/").authority() == "h");
  CHECK(Url::parse("http://h:443").str() == "http://h:443/");
}

TEST_CASE("an IPv6 host loses its brackets and gets them back") {
  const Url url = Url::parse("http://[::1]:5000?x");
  CHECK(url.host == "::1");
  CHECK(url.str() == "http://[::1]:5000/?x");
}

TEST_CASE("bytes that cannot stand in a request line are escaped, all others are kept") {
  CHECK(Url::parse("http://h/a b\xc3\xa9").target == "/a%20b%C3%A9");
  CHECK(Url::parse("http://h/a%2fb+c=&%zz").target == "/a%2fb+c=&%zz");
}

TEST_CASE("what is no URL of a registry is refused") {
  for (const char* text : {"", "h/x", "ftp://h/", "http://", "http://:80/", "http://h:0/", "http://h:65536/",
                           "http://h:8x/", "http://[::1/", "http://[x]/", "http://a b/", "http://h/\r\nX: y",
                           "http://user@h/", "http://user:secret@h/"}) {
    CAPTURE(std::string(text));
    CHECK_THROWS_AS(Url::parse(text), Error);
  }
}

TEST_CASE("a password in a URL does not get into the error") {
  try {
    Url::parse("http://user:secret@h/");
  } catch (const Error& error) {
    CHECK(std::string(error.what()).find("secret") == std::string::npos);
  }
}

TEST_CASE("a location is resolved against the URL it came from") {
  const Url base = Url::parse("https://h:5000/v2/repo/blobs/uploads/?a=1");
  const auto resolved = [&](const char* location) { return base.resolve(location).str(); };
  CHECK(resolved("http://other/x") == "http://other/x");
  CHECK(resolved("//other/x?y=/..") == "https://other/x?y=/..");
  CHECK(resolved("/v2/x?state=a%2Bb%3D") == "https://h:5000/v2/x?state=a%2Bb%3D");
  CHECK(resolved("uuid?s=/../") == "https://h:5000/v2/repo/blobs/uploads/uuid?s=/../");
  CHECK(resolved("../up/./x") == "https://h:5000/v2/repo/blobs/up/x");
  CHECK(resolved("../../../../../x/..") == "https://h:5000/");
  CHECK(resolved("?b=2#f") == "https://h:5000/v2/repo/blobs/uploads/?b=2");
  CHECK(resolved("") == base.str());
  CHECK_THROWS_AS(base.resolve("mailto:x"), Error);
}

TEST_CASE("a location with control characters is refused") {
  const Url base = Url::parse("https://h/");
  CHECK_THROWS_AS(base.resolve("/x\r\nHost: evil"), Error);
}

TEST_CASE("an origin is scheme, host and port") {
  const Url url = Url::parse("https://h/x");
  CHECK(url.same_origin(Url::parse("https://H:443/y")));
  CHECK_FALSE(url.same_origin(Url::parse("http://h:443/x")));
  CHECK_FALSE(url.same_origin(Url::parse("https://h:444/x")));
  CHECK_FALSE(url.same_origin(Url::parse("https://i/x")));
}

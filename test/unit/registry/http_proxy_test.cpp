#include <doctest/doctest.h>

#include "registry/proxy.hpp"

using namespace lade;
using registry::bypasses_proxy;
using registry::PoolOptions;
using registry::proxy_for;
using registry::Url;

TEST_CASE("each scheme has its own proxy") {
  PoolOptions options;
  options.http_proxy = "http://plain:3128";
  options.https_proxy = "secure:3129";
  CHECK(proxy_for(Url::parse("http://h/"), options)->host == "plain");
  CHECK(proxy_for(Url::parse("https://h/"), options)->port == 3129);
  options.https_proxy.clear();
  CHECK_FALSE(proxy_for(Url::parse("https://h/"), options));
}

TEST_CASE("the user of a proxy is decoded and becomes Basic authorization") {
  PoolOptions options;
  options.http_proxy = "http://us%40er:pa%3Ass@proxy:3128/";
  const auto proxy = proxy_for(Url::parse("http://h/"), options);
  CHECK(proxy->host == "proxy");
  CHECK(proxy->authorization == "Basic dXNAZXI6cGE6c3M=");
}

TEST_CASE("a proxy that is neither http nor https is refused by name") {
  PoolOptions options;
  options.http_proxy = "socks5://proxy:1080";
  CHECK_THROWS_WITH_AS(proxy_for(Url::parse("http://h/"), options),
                       "proxy scheme \"socks5\" is not supported, use an http:// proxy", Error);
}

TEST_CASE("loopback is never proxied") {
  for (const char* host : {"localhost", "127.0.0.1", "127.9.9.9", "::1"}) {
    CAPTURE(std::string(host));
    CHECK(bypasses_proxy(host, 80, ""));
  }
  CHECK_FALSE(bypasses_proxy("128.0.0.1", 80, ""));
  CHECK_FALSE(bypasses_proxy("localhost.example", 80, ""));
}

TEST_CASE("NO_PROXY follows Go's rules") {
  struct Row {
    const char *host, *rules;
    bool direct;
  };
  for (const Row& row : {Row{"a.example", "*", true},
                         Row{"a.example", "example", true},
                         Row{"a.example", ".example", true},
                         Row{"a.example", "*.example", true},
                         Row{"example", ".example", false},
                         Row{"example", "example", true},
                         Row{"aexample", "example", false},
                         Row{"A.Example", " x , EXAMPLE ", true},
                         Row{"a.example", "a.example:80", true},
                         Row{"a.example", "a.example:81", false},
                         Row{"10.1.2.3", "10.0.0.0/8", true},
                         Row{"11.1.2.3", "10.0.0.0/8", false},
                         Row{"10.1.2.3", "10.1.2.3", true},
                         Row{"10.1.2.3", "10.1.2.3:81", false},
                         Row{"10.1.2.3", "2.3", true},
                         Row{"fd00::1", "fd00::/8", true},
                         Row{"fd00::1", "[fd00::1]:80", true},
                         Row{"192.168.3.4", "192.168.2.0/23", true},
                         Row{"192.168.4.4", "192.168.2.0/23", false},
                         Row{"a.example", ":80,,/8", false}}) {
    CAPTURE(std::string(row.host));
    CAPTURE(std::string(row.rules));
    CHECK(bypasses_proxy(row.host, 80, row.rules) == row.direct);
  }
}

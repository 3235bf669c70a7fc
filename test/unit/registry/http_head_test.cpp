#include <doctest/doctest.h>

#include "registry/http_head.hpp"

using namespace lade;
using namespace lade::registry;

namespace {

ResponseHead parse(const std::string& headers, const std::string& status = "HTTP/1.1 200 OK") {
  return parse_response_head(status + "\r\n" + headers + "\r\n");
}

}  // namespace

TEST_CASE("a request head is the line, the headers and the framing of the body") {
  const std::string head = format_request_head("GET", "/v2/a%2Fb?c=d%20e", {{"Host", "h"}}, {});
  CHECK(head.starts_with("GET /v2/a%2Fb?c=d%20e HTTP/1.1\r\n"));
  CHECK(head.find("Host: h\r\n") != head.npos);
  CHECK(head.ends_with("\r\n\r\n"));
  CHECK(head.find("Content-Length") == head.npos);
}

TEST_CASE("a body is announced once, by its length or as chunked") {
  const auto count = [](const std::string& head, std::string_view name) {
    const std::size_t first = head.find(name);
    return first == head.npos ? 0 : head.find(name, first + 1) == head.npos ? 1 : 2;
  };
  const std::string length = format_request_head("PUT", "/", {}, {Framing::Kind::length, 42});
  CHECK(length.find("Content-Length: 42\r\n") != length.npos);
  CHECK(count(length, "Content-Length") == 1);
  const std::string chunked = format_request_head("PATCH", "/", {}, {Framing::Kind::chunked});
  CHECK(chunked.find("Transfer-Encoding: chunked\r\n") != chunked.npos);
  CHECK(count(chunked, "Content-Length") == 0);
  const std::string empty = format_request_head("POST", "/", {}, {});
  CHECK(empty.find("Content-Length: 0\r\n") != empty.npos);
  CHECK(count(empty, "Content-Length") == 1);
}

TEST_CASE("a long head leaves as it is") {
  const std::string value(20'000, 'x');
  const std::string head = format_request_head("GET", "/" + value, {{"Authorization", value}}, {});
  CHECK(head.find("Authorization: " + value + "\r\n") != head.npos);
  CHECK(head.starts_with("GET /" + value + " HTTP/1.1\r\n"));
}

TEST_CASE("headers that would break the message are refused") {
  for (const char* value : {"a\r\nX: y", "a\nb", "a\rb", "\x01"}) {
    CHECK_THROWS_WITH_AS(format_request_head("GET", "/", {{"X-A", value}}, {}),
                         "net/http: invalid header field value for \"X-A\"", Error);
  }
  CHECK_THROWS_AS(format_request_head("GET", "/", {{"X-A", std::string("a\0b", 3)}}, {}), Error);
  CHECK_THROWS_AS(format_request_head("GET", "/", {{"X A", "b"}}, {}), Error);
  CHECK_THROWS_AS(format_request_head("GET", "/", {{"", "b"}}, {}), Error);
}

TEST_CASE("header values arrive byte for byte") {
  const std::string location = "https://s3/x?sig=ab%2Bcd%2F%3D%26x&y=%u0041+%zz%";
  const ResponseHead head = parse("Location:   " + location + " \t\r\nX-Utf8: caf\xc3\xa9\r\nX-Empty:\r\n");
  CHECK(head.header("location") == location);
  CHECK(head.header("X-UTF8") == "caf\xc3\xa9");
  CHECK(head.header("X-Empty").empty());
}

TEST_CASE("all values of a repeated header are kept in order") {
  const ResponseHead head =
      parse("Www-Authenticate: Basic\r\nX: y\r\nWWW-Authenticate: Bearer r=\"%41\"\r\n");
  const auto values = head.header_values("WWW-Authenticate");
  REQUIRE(values.size() == 2);
  CHECK(values[0] == "Basic");
  CHECK(values[1] == "Bearer r=\"%41\"");
}

TEST_CASE("status, version and reason are read") {
  const ResponseHead head = parse("", "HTTP/1.0 404 Not here");
  CHECK(head.status == 404);
  CHECK(head.http_1_0);
  CHECK(status_text(head) == "404 Not here");
  CHECK(parse("", "HTTP/1.1 200").status == 200);
}

TEST_CASE("lines may end in a bare line feed") {
  const ResponseHead head = parse_response_head("HTTP/1.1 200 OK\nA: b\n\n");
  CHECK(head.header("A") == "b");
}

TEST_CASE("what is no head is refused") {
  for (const char* text : {"HTTP/2 200 OK\r\n\r\n", "HTTP/1.1 20 OK\r\n\r\n", "HTTP/1.1 2000 OK\r\n\r\n",
                           "SSH-2.0\r\n\r\n", "HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
                           "HTTP/1.1 200 OK\r\n: v\r\n\r\n", "HTTP/1.1 200 OK\r\nA: b\r\n folded\r\n\r\n",
                           "HTTP/1.1 200 OK\r\nA : b\r\n\r\n", "HTTP/1.1 200 OK\r\nA: b\x01\r\n\r\n",
                           "HTTP/1.1 200 OK\r\nA: b\xff\r\n\r\n", "HTTP/1.1 200 OK\r\nA: b\rc\r\n\r\n"}) {
    CAPTURE(std::string(text));
    CHECK_THROWS_AS(parse_response_head(text), Error);
  }
}

TEST_CASE("heads are limited in lines and in the length of a line") {
  std::string many;
  for (int i = 0; i < 198; ++i) many += "X: y\r\n";
  CHECK(parse(many).headers.size() == 198);
  CHECK_THROWS_AS(parse(many + many), Error);
  CHECK(parse("X: " + std::string(7900, 'y') + "\r\n").headers.size() == 1);
  CHECK_THROWS_AS(parse("X: " + std::string(8100, 'y') + "\r\n"), Error);
  CHECK_THROWS_AS(parse("", "HTTP/1.1 200 " + std::string(100'000, 'y')), Error);
}

TEST_CASE("the connection is kept unless a word of the header says close, in any case") {
  CHECK(parse("").keeps_alive());
  CHECK_FALSE(parse("Connection: Close\r\n").keeps_alive());
  CHECK_FALSE(parse("Connection: x, close\r\n").keeps_alive());
  CHECK(parse("Connection: closed\r\n").keeps_alive());
  CHECK_FALSE(parse("", "HTTP/1.0 200 OK").keeps_alive());
  CHECK(parse("Connection: Keep-Alive\r\n", "HTTP/1.0 200 OK").keeps_alive());
}

TEST_CASE("the framing of a body follows from method, status and headers") {
  using Kind = Framing::Kind;
  CHECK(body_framing(parse("Content-Length: 5\r\n"), "GET").length == 5);
  CHECK(body_framing(parse("Transfer-Encoding: Chunked\r\nContent-Length: 5\r\n"), "GET").kind ==
        Kind::chunked);
  CHECK(body_framing(parse(""), "GET").kind == Kind::until_close);
  CHECK(body_framing(parse("Content-Length: 5\r\n"), "HEAD").kind == Kind::none);
  CHECK(body_framing(parse("Content-Length: 5\r\n", "HTTP/1.1 304 Not Modified"), "GET").kind == Kind::none);
  CHECK(body_framing(parse("Content-Length: 5\r\n", "HTTP/1.1 204 No Content"), "PUT").kind == Kind::none);
}

TEST_CASE("contradictory or unknown framing is refused") {
  CHECK(body_framing(parse("Content-Length: 5\r\nContent-Length: 5\r\n"), "GET").length == 5);
  for (const char* headers :
       {"Content-Length: 5\r\nContent-Length: 6\r\n", "Content-Length: -1\r\n", "Content-Length: 5x\r\n",
        "Content-Length: 99999999999999999999\r\n", "Transfer-Encoding: gzip, chunked\r\n"}) {
    CAPTURE(std::string(headers));
    CHECK_THROWS_AS(body_framing(parse(headers), "GET"), Error);
  }
}

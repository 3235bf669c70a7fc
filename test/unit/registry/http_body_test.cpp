#include <doctest/doctest.h>

#include "http_fixture.hpp"

using namespace lade;
using namespace lade::test;

namespace {

// One answer, sent as it is; then the connection is closed.
struct OneAnswer {
  explicit OneAnswer(std::string bytes) : text(std::move(bytes)) {}
  std::string text;
  RawServer server{[this](ServerConnection& connection) {
    connection.read_head();
    connection.send(text);
  }};
  HttpFixture http;

  std::string body() { return http.text(server.url("/")); }
  std::string error() {
    return HttpFixture::error_of([&] { body(); });
  }
};

const std::string chunked_head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";

}  // namespace

TEST_CASE("a body with a length ends there") {
  CHECK(OneAnswer("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nbodymore").body() == "body");
}

TEST_CASE("a body without a length lasts until the connection is closed") {
  CHECK(OneAnswer("HTTP/1.1 200 OK\r\n\r\nall of it").body() == "all of it");
}

TEST_CASE("chunks are put together") {
  CHECK(OneAnswer(chunked_head + "4\r\nwiki\r\nC;ext=1\r\npedia in\r\n\r\n\r\n0\r\n\r\n").body() ==
        "wikipedia in\r\n\r\n");
}

TEST_CASE("trailers after the last chunk are dropped and the connection kept") {
  ScriptedServer server;
  Reply answer = raw_reply(chunked_head + "2\r\nok\r\n0\r\nX-Checksum: 1\r\nX-More: 2\r\n\r\n", false);
  server.on("*", "*", answer);
  HttpFixture http;
  CHECK(http.text(server.url("/")) == "ok");
  CHECK(http.text(server.url("/")) == "ok");
  CHECK(server.connections() == 1);
}

TEST_CASE("many small chunks and some large ones give the same bytes") {
  std::string answer = chunked_head, expected;
  for (std::size_t i = 0; i < 300; ++i) {
    const std::string piece = random_bytes(i % 7 == 0 ? 70'000 : i, i);
    if (piece.empty()) continue;
    std::array<char, 20> size{};
    std::snprintf(size.data(), size.size(), "%zx", piece.size());
    answer += std::string(size.data()) + "\r\n" + piece + "\r\n";
    expected += piece;
  }
  CHECK(OneAnswer(answer + "0\r\n\r\n").body() == expected);
}

TEST_CASE("a body that ends too soon is an error, however it was framed") {
  CHECK(OneAnswer("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf").error() == "unexpected EOF");
  CHECK(OneAnswer(chunked_head + "9\r\nhalf").error() == "unexpected EOF");
  CHECK(OneAnswer(chunked_head + "4\r\nhalf\r\n").error() == "unexpected EOF");
  CHECK(OneAnswer(chunked_head + "4\r\nhalf\r\n0\r\n").error() == "unexpected EOF");
}

TEST_CASE("an answer that is cut anywhere is an error, never a shorter answer") {
  const std::string whole = chunked_head + "4\r\nwiki\r\n5\r\npedia\r\n0\r\n\r\n";
  for (std::size_t size = 0; size < whole.size(); ++size) {
    CAPTURE(size);
    CHECK(contains(OneAnswer(whole.substr(0, size)).error(), "EOF"));
  }
}

TEST_CASE("a reset inside the body names both ends") {
  RawServer server([](ServerConnection& connection) {
    connection.read_head();
    connection.send("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n");
    connection.reset();
  });
  HttpFixture http;
  const std::string error = HttpFixture::error_of([&] { http.text(server.url("/")); });
  CHECK(contains(error, "connection reset by peer"));
  CHECK(contains(error, "->" + server.host() + ": read: "));
}

TEST_CASE("bad chunks are errors") {
  for (const char* chunks :
       {"x\r\n", "\r\n", "-1\r\n", "4\r\nwikiXX\r\n", "11111111111111111\r\n", "4 4\r\nwiki\r\n0\r\n\r\n"}) {
    CAPTURE(std::string(chunks));
    CHECK_FALSE(OneAnswer(chunked_head + chunks).error().empty());
  }
  CHECK_FALSE(OneAnswer(chunked_head + "4;" + std::string(10'000, 'x')).error().empty());
}

TEST_CASE("chunks that are mostly framing are refused") {
  std::string chunks;
  for (int i = 0; i < 20; ++i) chunks += "1;" + std::string(2000, 'x') + "\r\na\r\n";
  CHECK(OneAnswer(chunked_head + chunks + "0\r\n\r\n").error() ==
        "chunked encoding contains too much non-data");
}

TEST_CASE("endless trailers are refused") {
  std::string trailers;
  for (int i = 0; i < 40; ++i) trailers += "X: " + std::string(2000, 'x') + "\r\n";
  CHECK(contains(OneAnswer(chunked_head + "0\r\n" + trailers + "\r\n").error(), "trailer"));
}

TEST_CASE("informational answers are dropped, with or without headers") {
  const std::string informational =
      "HTTP/1.1 100 Continue\r\nX: y\r\n\r\nHTTP/1.1 103 Early Hints\r\n"
      "Link: </x>; rel=preload\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n";
  CHECK(OneAnswer(informational + "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").body() == "ok");
}

TEST_CASE("informational answers without end are refused") {
  std::string endless;
  for (int i = 0; i < 10'000; ++i) endless += "HTTP/1.1 100 Continue\r\n\r\n";
  CHECK(contains(OneAnswer(endless).error(), "headers exceeded"));
}

TEST_CASE("a head without end is refused") {
  CHECK(
      contains(OneAnswer("HTTP/1.1 200 OK\r\nX: " + std::string(100'000, 'y')).error(), "headers exceeded"));
}

TEST_CASE("an answer that is not HTTP is shown, printable") {
  CHECK(contains(OneAnswer("SSH-2.0-OpenSSH\x1b[31m\r\n").error(),
                 "malformed HTTP response \"SSH-2.0-OpenSSH\\x1b[31m"));
}

TEST_CASE("answers that have no body do not wait for one") {
  ScriptedServer server;
  server.on("GET", "/304", raw_reply("HTTP/1.1 304 Not Modified\r\nContent-Length: 99\r\n\r\n", false));
  server.on("GET", "/204", raw_reply("HTTP/1.1 204 No Content\r\n\r\n", false));
  server.on("HEAD", "/", raw_reply("HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n", false));
  HttpFixture http;
  CHECK(http.text(server.url("/304")).empty());
  CHECK(http.text(server.url("/204")).empty());
  CHECK(http.send(HttpFixture::request("HEAD", server.url("/")))->content_length() == 99);
  CHECK(server.connections() == 1);
}

TEST_CASE("a connection that the server wants closed is not used again, in whatever case it says so") {
  ScriptedServer server;
  server.on("*", "*", reply(200, {{"Connection", "Close"}}, "body"));
  HttpFixture http;
  http.text(server.url("/"));
  http.text(server.url("/"));
  CHECK(server.connections() == 2);
}

TEST_CASE("bytes after the end of a body are not taken for the next answer") {
  ScriptedServer server;
  server.on("*", "*",
            raw_reply("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 500 Evil\r\n\r\n", false));
  HttpFixture http;
  CHECK(http.get(server.url("/"))->status() == 200);
  CHECK(http.get(server.url("/"))->status() == 200);
  CHECK(server.connections() == 2);
}

TEST_CASE("an encoded body is handed over as it is") {
  OneAnswer answer("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\n\x1f\x8b\x08!");
  CHECK(answer.body() == "\x1f\x8b\x08!");
}

TEST_CASE("a body arrives straight in a large buffer") {
  const std::string body = random_bytes(300'000);
  ScriptedServer server;
  server.on("*", "*", reply(200, {}, body));
  HttpFixture http;
  const auto response = http.get(server.url("/"));
  std::vector<std::byte> buffer(io::chunk_size);
  std::string got;
  while (const std::size_t count = response->body().read(buffer)) {
    got += io::as_text(io::Bytes(buffer).first(count));
  }
  CHECK(got == body);
}

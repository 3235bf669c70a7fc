#include <doctest/doctest.h>

#include "http_fixture.hpp"
#include "io/readers.hpp"

using namespace lade;
using namespace lade::test;
using registry::HttpRequest;

namespace {

// Zeros without end; after `pause` bytes it waits until the gate is open.
class EndlessReader final : public io::Reader {
 public:
  EndlessReader(std::shared_ptr<Gate> gate, std::size_t pause) : gate_(std::move(gate)), pause_(pause) {}
  std::size_t read(io::Buffer buffer) override {
    if (given_ >= pause_) gate_->wait();
    std::fill(buffer.begin(), buffer.end(), std::byte{0});
    given_ += buffer.size();
    return buffer.size();
  }
  std::size_t given() const { return given_; }

 private:
  std::shared_ptr<Gate> gate_;
  std::size_t pause_;
  std::size_t given_ = 0;
};

ServerOptions plain_or_tls(bool tls) {
  ServerOptions options;
  if (tls) options.tls = make_certificate();
  return options;
}

constexpr std::uint64_t huge = std::uint64_t(1) << 40;
constexpr const char* denied = "HTTP/1.1 401 Unauthorized\r\nContent-Length: 6\r\n\r\ndenied";

}  // namespace

TEST_CASE("a body of known size arrives with its length") {
  const std::string body = random_bytes(1'000'000);
  ScriptedServer server;
  server.on("PUT", "/", reply(201));
  HttpFixture http;
  SlowReader reader(body, 100'000);
  CHECK(http.put(server.url("/"), reader, body.size())->status() == 201);
  const RecordedRequest seen = server.requests().at(0);
  CHECK(seen.header("Content-Length") == "1000000");
  CHECK((seen.body == body));
}

TEST_CASE("a body of unknown size arrives in chunks") {
  for (const std::size_t size : {std::size_t(0), std::size_t(1), io::chunk_size, io::chunk_size * 3 + 17}) {
    CAPTURE(size);
    const std::string body = random_bytes(size);
    ScriptedServer server;
    server.on("PUT", "/", reply(201));
    HttpFixture http;
    SlowReader reader(body, 100'000);
    CHECK(http.put(server.url("/"), reader, std::nullopt)->status() == 201);
    const RecordedRequest seen = server.requests().at(0);
    CHECK(seen.header("Transfer-Encoding") == "chunked");
    CHECK((seen.body == body));
    CHECK(reader.ends() == 1);
  }
}

TEST_CASE("a small body leaves in one piece with its head") {
  for (const bool tls : {false, true}) {
    CAPTURE(tls);
    std::string first;
    RawServer server(
        [&](ServerConnection& connection) {
          first = connection.read_some();
          connection.send("HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n");
        },
        plain_or_tls(tls));
    HttpFixture http;
    http.endpoint.tls_verify = false;
    HttpRequest request = HttpFixture::request("PATCH", server.url("/"));
    request.text = "small body";
    CHECK(http.send(request)->status() == 201);
    CHECK(first.ends_with("\r\n\r\nsmall body"));
  }
}

TEST_CASE("an answer during an upload ends the upload and is delivered") {
  for (const bool tls : {false, true}) {
    CAPTURE(tls);
    const auto answered = std::make_shared<Gate>();
    RawServer server(
        [&](ServerConnection& connection) {
          connection.read_head();
          connection.send(denied);
          answered->open();
          connection.wait_for_close();
        },
        plain_or_tls(tls));
    HttpFixture http;
    http.endpoint.tls_verify = false;
    EndlessReader reader(answered, 4 * io::chunk_size);
    const auto response = http.put(server.url("/"), reader, huge);
    CHECK(response->status() == 401);
    CHECK(read_text(response->body()) == "denied");
    CHECK(reader.given() <= 6 * io::chunk_size);
  }
}

TEST_CASE("an answer is delivered to a client that waits for room to send") {
  for (const bool tls : {false, true}) {
    CAPTURE(tls);
    const auto done = std::make_shared<Gate>();
    RawServer server(
        [&](ServerConnection& connection) {
          connection.read_head();
          connection.read_exactly(1'000'000);
          connection.send(denied);  // and reads no more, so that the buffers fill up
          done->wait();
        },
        plain_or_tls(tls));
    HttpFixture http;
    http.endpoint.tls_verify = false;
    const auto open = std::make_shared<Gate>();
    open->open();
    EndlessReader reader(open, 0);
    CHECK(http.put(server.url("/"), reader, std::nullopt)->status() == 401);
    done->open();
  }
}

TEST_CASE("an answer followed by a reset is delivered") {
  for (const bool tls : {false, true}) {
    CAPTURE(tls);
    const auto answered = std::make_shared<Gate>();
    RawServer server(
        [&](ServerConnection& connection) {
          connection.read_head();
          connection.send(denied);
          connection.reset();
          answered->open();
        },
        plain_or_tls(tls));
    HttpFixture http;
    http.endpoint.tls_verify = false;
    EndlessReader reader(answered, 1);
    const auto response = http.put(server.url("/"), reader, huge);
    CHECK(response->status() == 401);
    CHECK(read_text(response->body()) == "denied");
  }
}

TEST_CASE("a connection with half an upload on it is not used again") {
  ScriptedServer server;
  Reply early = reply(413);
  early.read_body = false;
  server.on("PUT", "/", early);
  server.on("GET", "/", reply(200, {}, "ok"));
  HttpFixture http;
  const auto open = std::make_shared<Gate>();
  open->open();
  EndlessReader reader(open, 0);
  CHECK(http.put(server.url("/"), reader, huge)->status() == 413);
  CHECK(http.text(server.url("/")) == "ok");
  CHECK(server.connections() == 2);
}

TEST_CASE("100 Continue during an upload does not end it") {
  const auto answered = std::make_shared<Gate>();
  constexpr std::size_t size = 3 * io::chunk_size;
  std::string seen;
  RawServer server([&](ServerConnection& connection) {
    connection.read_head();
    connection.send("HTTP/1.1 100 Continue\r\n\r\n");
    answered->open();
    seen = connection.read_exactly(size);
    connection.send("HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n");
  });
  HttpFixture http;
  EndlessReader zeros(answered, 1);
  io::SectionReader reader(zeros, size);
  CHECK(http.put(server.url("/"), reader, size)->status() == 201);
  CHECK(seen.size() == size);
}

TEST_CASE("a server that closes during an upload is an error, not a signal") {
  const auto closed = std::make_shared<Gate>();
  RawServer server([&](ServerConnection& connection) {
    connection.read_head();
    connection.reset();
    closed->open();
  });
  HttpFixture http;
  EndlessReader reader(closed, 1);
  const std::string error = HttpFixture::error_of([&] { http.put(server.url("/"), reader, huge); });
  CHECK(contains(error, "Put \"" + server.url("/") + "\": "));
  CHECK((contains(error, "connection reset by peer") || contains(error, "broken pipe")));
}

TEST_CASE("a body that is shorter or longer than announced is never complete on the other side") {
  for (const std::size_t size : {std::size_t(99), std::size_t(101), std::size_t(0)}) {
    CAPTURE(size);
    std::string seen;
    HttpFixture http;
    std::string error;
    {
      RawServer server([&](ServerConnection& connection) {
        connection.read_head();
        seen = connection.read_exactly(100);
      });
      SlowReader reader(std::string(size, 'x'), 10);
      error = HttpFixture::error_of([&] { http.put(server.url("/"), reader, 100); });
    }
    CHECK(contains(error, "http: ContentLength=100 with Body length "));
    CHECK(seen.size() < 100);
  }
}

TEST_CASE("a body that fails its check at the end is never complete on the other side") {
  for (const bool chunked : {false, true}) {
    CAPTURE(chunked);
    const std::string body = random_bytes(2 * io::chunk_size);
    HttpFixture http;
    std::string seen, error;
    {
      RawServer server([&](ServerConnection& connection) {
        connection.read_head();
        seen = connection.read_exactly(body.size() + 100);
      });
      SlowReader inner(body, 1000, true);
      const auto size = chunked ? std::nullopt : std::optional<std::uint64_t>(body.size());
      error = HttpFixture::error_of([&] { http.put(server.url("/"), inner, size); });
    }
    CHECK(contains(error, "broken"));
    CHECK((chunked ? !seen.ends_with("0\r\n\r\n") : seen.size() < body.size()));
  }
}

TEST_CASE("a stop wakes an upload that waits for room to send") {
  const auto filled = std::make_shared<Gate>();
  std::stop_source source;
  RawServer server([&](ServerConnection& connection) {
    connection.read_head();
    source.request_stop();
    filled->wait();  // reads no more
  });
  HttpFixture http;
  const auto open = std::make_shared<Gate>();
  open->open();
  EndlessReader reader(open, 0);
  HttpRequest request = HttpFixture::request("PUT", server.url("/"));
  request.body = &reader;
  CHECK_THROWS_AS(http.send(request, background().with_stop(source.get_token())), Cancelled);
  filled->open();
}

TEST_CASE("a server that takes no bytes is given up after the read timeout") {
  const auto done = std::make_shared<Gate>();
  RawServer server([&](ServerConnection&) { done->wait(); });
  HttpFixture http;
  http.options.read_timeout = std::chrono::milliseconds(50);
  const auto open = std::make_shared<Gate>();
  open->open();
  EndlessReader reader(open, 0);
  const std::string error = HttpFixture::error_of([&] { http.put(server.url("/"), reader, huge); });
  CHECK(contains(error, "context deadline exceeded"));
  done->open();
}

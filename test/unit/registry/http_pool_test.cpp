#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <thread>

#include "http_fixture.hpp"
#include "os/unique_fd.hpp"

using namespace lade;
using namespace lade::test;
using registry::HttpRequest;

namespace {

// A listening socket whose queue is full: the kernel answers no further connection.
class FullListener {
 public:
  FullListener() {
    sockaddr_in address{
        .sin_family = AF_INET, .sin_port = 0, .sin_addr = {htonl(INADDR_LOOPBACK)}, .sin_zero = {}};
    socklen_t size = sizeof address;
    auto* name = reinterpret_cast<sockaddr*>(&address);
    REQUIRE(::bind(listener_.get(), name, size) == 0);
    REQUIRE(::listen(listener_.get(), 0) == 0);
    ::getsockname(listener_.get(), name, &size);
    port_ = ntohs(address.sin_port);
    for (const os::UniqueFd& client : clients_) ::connect(client.get(), name, size);
  }
  std::string host() const { return "127.0.0.1:" + std::to_string(port_); }

 private:
  static os::UniqueFd make_socket() {
    return os::UniqueFd(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  }
  os::UniqueFd listener_ = make_socket();
  std::array<os::UniqueFd, 3> clients_{make_socket(), make_socket(), make_socket()};
  int port_ = 0;
};

}  // namespace

TEST_CASE("a GET brings status, headers and body") {
  ScriptedServer server;
  server.on("GET", "/v2/x?n=1", reply(200, {{"Docker-Content-Digest", "sha256:00"}}, "hello"));
  HttpFixture http;
  const auto response = http.get(server.url("/v2/x?n=1"));
  CHECK(response->status() == 200);
  CHECK(response->header("docker-content-digest") == "sha256:00");
  CHECK(response->content_length() == 5);
  CHECK(response->url().str() == server.url("/v2/x?n=1"));
  CHECK(read_text(response->body()) == "hello");
}

TEST_CASE("requests name host, agent and the identity encoding") {
  ScriptedServer server;
  server.on("GET", "/", reply(200));
  HttpFixture http;
  http.text(server.url("/"));
  const RecordedRequest seen = server.requests().at(0);
  CHECK(seen.header("Host") == server.host());
  CHECK(seen.header("User-Agent") == "lade-test");
  CHECK(seen.header("Accept-Encoding") == "identity");
  CHECK_FALSE(seen.has_header("Content-Length"));
}

TEST_CASE("a connection is used again after its body was read") {
  ScriptedServer server;
  server.on("*", "*", reply(200, {}, "body"));
  HttpFixture http;
  for (int i = 0; i < 3; ++i) http.text(server.url("/"));
  http.send(HttpFixture::request("HEAD", server.url("/head")));
  CHECK(server.connections() == 1);
}

TEST_CASE("a short body that nobody reads does not cost the connection") {
  ScriptedServer server;
  server.on("*", "*", reply(401, {}, "please log in"));
  HttpFixture http;
  http.get(server.url("/"));
  http.get(server.url("/"));
  CHECK(server.connections() == 1);
}

TEST_CASE("a long body that nobody reads ends the connection") {
  ScriptedServer server;
  server.on("GET", "/big", reply(200, {}, std::string(1 << 20, 'x')));
  server.on("GET", "/", reply(200, {}, "after"));
  HttpFixture http;
  http.get(server.url("/big"));
  CHECK(http.text(server.url("/")) == "after");
  CHECK(server.connections() == 2);
}

TEST_CASE("requests at the same time have connections of their own") {
  const auto gate = std::make_shared<Gate>();
  ScriptedServer server;
  Reply slow = reply(200, {}, "slow");
  slow.before = gate;
  server.on("GET", "/slow", slow);
  server.on("GET", "/fast", reply(200, {}, "fast"));
  HttpFixture http;
  http.pool();
  std::string text;
  std::jthread other([&] { text = http.text(server.url("/slow")); });
  CHECK(http.text(server.url("/fast")) == "fast");
  gate->open();
  other.join();
  CHECK(text == "slow");
}

TEST_CASE("a connection that the server closed while idle is replaced") {
  ScriptedServer server;
  Reply closing = reply(200, {}, "first");
  closing.close = true;  // without a word of it in the head
  server.on("GET", "/", {closing, reply(200, {}, "second")});
  HttpFixture http;
  CHECK(http.text(server.url("/")) == "first");
  CHECK(http.text(server.url("/")) == "second");
}

TEST_CASE("a request is sent again when a kept connection ends before the first byte of the answer") {
  RawServer server([](ServerConnection& connection) {
    connection.read_head();
    connection.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    if (connection.number() == 0) connection.read_head();  // and closes instead of answering
  });
  HttpFixture http;
  CHECK(http.text(server.url("/")) == "ok");
  CHECK(http.text(server.url("/")) == "ok");
  CHECK(server.connections() == 2);
}

TEST_CASE("a request with a body that can be read only once is not sent again") {
  RawServer server([](ServerConnection& connection) {
    connection.read_head();
    connection.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    connection.read_head();
  });
  HttpFixture http;
  http.text(server.url("/"));
  SlowReader body("abc", 3);
  const std::string error = HttpFixture::error_of([&] { http.put(server.url("/x"), body, 3); });
  CHECK(contains(error, "Put \"" + server.url("/x") + "\": "));
  CHECK(server.connections() == 1);
}

TEST_CASE("a fresh connection that ends without an answer is an error, not a loop") {
  RawServer server([](ServerConnection& connection) { connection.read_head(); });
  HttpFixture http;
  const auto get = [&] { http.get(server.url("/x")); };
  CHECK(HttpFixture::error_of(get) == "Get \"" + server.url("/x") + "\": EOF");
  CHECK(server.connections() == 1);
}

TEST_CASE("a refused connection is told in Go's words") {
  int port = 0;
  {
    RawServer server([](ServerConnection&) {});
    port = server.port();
  }
  HttpFixture http;
  const std::string host = "127.0.0.1:" + std::to_string(port);
  const auto get = [&] { http.get("http://" + host + "/v2/"); };
  CHECK(HttpFixture::error_of(get) ==
        "Get \"http://" + host + "/v2/\": dial tcp " + host + ": connect: connection refused");
}

TEST_CASE("localhost is tried over both families") {
  for (const char* address : {"127.0.0.1", "::1"}) {
    CAPTURE(std::string(address));
    ServerOptions options;
    options.address = address;
    RawServer server(
        [](ServerConnection& connection) {
          connection.read_head();
          connection.send("HTTP/1.1 204 No Content\r\n\r\n");
        },
        options);
    HttpFixture http;
    CHECK(http.get("http://localhost:" + std::to_string(server.port()) + "/")->status() == 204);
    CHECK(http.get(server.url("/"))->status() == 204);
  }
}

TEST_CASE("a name that does not exist is told in Go's words") {
  HttpFixture http;  // no server is asked about a name with an empty part
  CHECK(HttpFixture::error_of([&] { http.get("http://a..b/"); }) ==
        "Get \"http://a..b/\": dial tcp: lookup a..b: no such host");
}

TEST_CASE("a host that does not take connections is given up after the connect timeout") {
  const FullListener listener;
  HttpFixture http;
  http.options.connect_timeout = std::chrono::milliseconds(50);
  CHECK(HttpFixture::error_of([&] { http.get("http://" + listener.host() + "/"); }) ==
        "Get \"http://" + listener.host() + "/\": dial tcp " + listener.host() + ": i/o timeout");
}

TEST_CASE("a stop wakes a call that waits for a connection") {
  const FullListener listener;
  HttpFixture http;
  std::stop_source source;
  std::jthread stopper([&] { source.request_stop(); });
  const Context context = background().with_stop(source.get_token());
  CHECK_THROWS_AS(http.send(HttpFixture::request("GET", "http://" + listener.host() + "/"), context),
                  Cancelled);
}

TEST_CASE("a server that says nothing is given up after the read timeout") {
  RawServer server([](ServerConnection& connection) { connection.wait_for_close(); });
  HttpFixture http;
  http.options.read_timeout = std::chrono::milliseconds(50);
  const std::string error = HttpFixture::error_of([&] { http.get(server.url("/")); });
  CHECK(contains(error, "context deadline exceeded (Client.Timeout exceeded while awaiting headers)"));
}

TEST_CASE("a server that trickles single bytes is given up, too") {
  RawServer server([](ServerConnection& connection) {
    connection.read_head();
    while (connection.send("H")) {
    }
  });
  RawServer trickling([](ServerConnection& connection) {
    connection.read_head();
    connection.send("HTTP/1.1 200 OK\r\n");
    while (connection.send("X: y\r\n")) {
    }
  });
  HttpFixture http;
  CHECK(contains(HttpFixture::error_of([&] { http.get(server.url("/")); }), "malformed HTTP response"));
  CHECK(contains(HttpFixture::error_of([&] { http.get(trickling.url("/")); }), "exceeded"));
}

TEST_CASE("a stop wakes a call that waits for the answer") {
  const auto asked = std::make_shared<Gate>();
  RawServer server([&](ServerConnection& connection) {
    connection.read_head();
    asked->open();
    connection.wait_for_close();
  });
  HttpFixture http;
  std::stop_source source;
  std::jthread stopper([&] {
    asked->wait();
    source.request_stop();
  });
  const Context context = background().with_stop(source.get_token());
  CHECK_THROWS_AS(http.send(HttpFixture::request("GET", server.url("/")), context), Cancelled);
}

TEST_CASE("a stop wakes a call that waits for the body") {
  RawServer server([](ServerConnection& connection) {
    connection.read_head();
    connection.send("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf");
    connection.wait_for_close();
  });
  HttpFixture http;
  std::stop_source source;
  const Context context = background().with_stop(source.get_token());
  const auto response = http.send(HttpFixture::request("GET", server.url("/")), context);
  std::array<std::byte, 4> half{};
  CHECK(io::read_full(response->body(), half) == 4);
  std::jthread stopper([&] { source.request_stop(); });
  CHECK_THROWS_AS(response->body().read(half), Cancelled);
}

TEST_CASE("a stop that came before is noticed at once") {
  HttpFixture http;
  std::stop_source source;
  source.request_stop();
  const Context context = background().with_stop(source.get_token());
  CHECK_THROWS_AS(http.send(HttpFixture::request("GET", "http://127.0.0.1:1/"), context), Cancelled);
}

TEST_CASE("headers with line breaks are refused before anything is sent") {
  ScriptedServer server;
  HttpFixture http;
  HttpRequest request = HttpFixture::request("GET", server.url("/"));
  request.headers = {{"Authorization", "Bearer a\r\nX: y"}};
  CHECK_THROWS_AS(http.send(request), Error);
  CHECK(server.connections() == 0);
}

TEST_CASE("a slot is made once and shared") {
  HttpFixture http;
  struct Counter {
    std::atomic<int> value{0};
  };
  http.pool();
  std::vector<std::jthread> threads;
  for (int i = 0; i < 4; ++i) threads.emplace_back([&] { ++http.made_pool->slot<Counter>("tokens")->value; });
  threads.clear();
  CHECK(http.pool().slot<Counter>("tokens")->value == 4);
  CHECK(http.pool().slot<Counter>("other")->value == 0);
}

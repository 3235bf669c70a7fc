// What cpp-httplib's server would do wrong with requests that are unusual or hostile.
#include <doctest/doctest.h>

#include <thread>

#include "support/raw_client.hpp"
#include "support/registry_server.hpp"
#include "support/streams.hpp"

using namespace lade;

namespace {

using test::RawClient;

const std::string host = " HTTP/1.1\r\nHost: x\r\n";
const std::string get_base = "GET /v2/" + host + "\r\n";

int status_of(const std::string& response) {
  return response.starts_with("HTTP/1.1 ") ? std::stoi(response.substr(9, 3)) : 0;
}

std::size_t count_of(const std::string& text, const std::string& word) {
  std::size_t count = 0;
  for (auto at = text.find(word); at != text.npos; at = text.find(word, at + 1)) ++count;
  return count;
}

}  // namespace

TEST_CASE("registry server: requests follow each other on one connection, pipelined, too") {
  test::RegistryServer server;
  RawClient client(server.port());
  for (int i = 0; i < 20; ++i) CHECK(status_of(client.ask(get_base, "{}")) == 200);
  client.send(get_base + get_base + "GET /v2/" + host + "Connection: close\r\n\r\n");
  CHECK(count_of(client.receive(), "HTTP/1.1 200") == 3);
}

TEST_CASE("registry server: Connection: close is honoured in any spelling, and is the rule for HTTP/1.0") {
  test::RegistryServer server;
  for (const std::string head :
       {"GET /v2/ HTTP/1.1\r\nConnection: close\r\n\r\n", "GET /v2/ HTTP/1.1\r\nconnection: Close\r\n\r\n",
        "GET /v2/ HTTP/1.0\r\n\r\n"}) {
    CHECK(status_of(RawClient(server.port()).ask(head)) == 200);
  }
}

TEST_CASE("registry server: a body that was refused unread is not taken for the next request") {
  test::RegistryServer server;
  RawClient client(server.port());
  const std::string hidden = "DELETE /v2/a/manifests/v1" + host + "\r\n";
  const std::string request = "PUT /v2/UPPER/manifests/v1" + host +
                              "Content-Length: " + std::to_string(hidden.size()) + "\r\n\r\n" + hidden;
  const std::string answer = client.ask(request);
  CHECK(status_of(answer) == 400);
  CHECK(answer.find("Connection: close") != answer.npos);
  CHECK(count_of(answer, "HTTP/1.1") == 1);
}

TEST_CASE("registry server: a client in the midst of a refused upload gets the answer") {
  test::RegistryServer server;
  RawClient client(server.port());
  CHECK(client.send("PATCH /v2/a/blobs/uploads/none" + host + "Content-Length: 1000000000\r\n\r\n"));
  const std::string piece(1'000'000, 'x');
  client.send(piece);
  CHECK(status_of(client.receive()) == 404);
}

TEST_CASE("registry server: POST without any length has no body and does not wait for one") {
  test::RegistryServer server;
  RawClient client(server.port());
  const auto answer = client.ask("POST /v2/a/blobs/uploads/" + host + "\r\n", "\r\n\r\n");
  CHECK(status_of(answer) == 202);
  CHECK(status_of(client.ask(get_base, "{}")) == 200);
}

TEST_CASE("registry server: contradictory or malformed lengths are refused") {
  test::RegistryServer server;
  for (const std::string headers :
       {"Content-Length: 3\r\nContent-Length: 4\r\n", "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n",
        "Content-Length: -1\r\n", "Content-Length: 3x\r\n", "Content-Length: 99999999999999999999\r\n",
        "Transfer-Encoding: gzip\r\n", "Transfer-Encoding: chunked, chunked\r\n"}) {
    CAPTURE(headers);
    RawClient client(server.port());
    const auto answer = client.ask("PUT /v2/a/manifests/v1" + host + headers + "\r\nabc");
    CHECK(status_of(answer) == 400);
    CHECK(count_of(answer, "HTTP/1.1") == 1);
  }
}

TEST_CASE("registry server: malformed heads are refused and the connection ends") {
  test::RegistryServer server;
  for (const std::string head :
       {"GET\r\n\r\n", "GET /v2/ HTTP/3\r\n\r\n", "BREW /v2/ HTTP/1.1\r\n\r\n",
        "GET /v2/ HTTP/1.1\r\nno colon\r\n\r\n", "GET /v2/ HTTP/1.1\r\na b: c\r\n\r\n",
        "GET /v2/ HTTP/1.1\r\n: c\r\n\r\n", "GET /v2/ HTTP/1.1\r\na: b\x01\r\n\r\n",
        "GET /v2/ HTTP/1.1\r\na: b\nc: d\r\n\r\n", "GET /v2/\x7f HTTP/1.1\r\n\r\n"}) {
    CAPTURE(head);
    const auto answer = RawClient(server.port()).ask(head + get_base);
    CHECK(status_of(answer) == 400);
    CHECK(count_of(answer, "HTTP/1.1") == 1);
  }
}

TEST_CASE("registry server: a client that tries TLS is answered at once") {
  test::RegistryServer server;
  const std::string hello("\x16\x03\x01\x02\0", 5);
  CHECK(status_of(RawClient(server.port()).ask(hello)) == 400);
  httplib::SSLClient client("127.0.0.1", server.port());
  const auto begin = std::chrono::steady_clock::now();
  CHECK(!client.Get("/v2/"));
  CHECK(std::chrono::steady_clock::now() - begin < std::chrono::seconds(5));
}

TEST_CASE("registry server: too long and too many headers are refused") {
  test::RegistryServer server;
  std::string many;
  for (int i = 0; i < 101; ++i) many += "a" + std::to_string(i) + ": b\r\n";
  const std::string longest = "a: " + std::string(40'000, 'b') + "\r\n";
  for (const std::string& headers : {many, longest}) {
    CHECK(status_of(RawClient(server.port()).ask("GET /v2/" + host + headers + "\r\n")) == 431);
  }
  const std::string target = "GET /v2/" + std::string(9'000, 'a') + host + "\r\n";
  CHECK(status_of(RawClient(server.port()).ask(target, "]}")) == 414);
}

TEST_CASE("registry server: an endless head is refused") {
  test::RegistryServer server;
  RawClient client(server.port());
  const std::string piece(1'000, 'a');
  bool open = true;
  for (int i = 0; i < 1'000 && open; ++i) open = client.send(piece);
  CHECK(status_of(client.receive()) == 431);
}

TEST_CASE("registry server: percent signs in headers stay as they are") {
  test::RegistryServer server;
  server.push_blob("a", "{}");
  const std::string manifest = server.image_manifest("{}", "{}");
  // Decoded, this would be a good type.
  const auto response =
      server.client()->Put("/v2/a/manifests/v1", manifest, "application/vnd.oci.image.manifest%2Ev1+json");
  CHECK(response->status == 400);
}

TEST_CASE("registry server: the path is decoded once") {
  test::RegistryServer server;
  server.push_image("a/b", "v1", "layer");
  RawClient client(server.port());
  const auto ask = [&](const std::string& path) {
    return status_of(client.ask("HEAD " + path + host + "\r\n", "\r\n\r\n"));
  };
  CHECK(ask("/v2/a%2Fb/manifests/%761") == 200);
  CHECK(ask("/v2/a/b/manifests/%25761") == 400);
  CHECK(ask("/v2/a/b/manifests/v1%") == 400);
  CHECK(ask("/v2/a/b/blobs/..%2F..%2Foci-layout") == 404);
  CHECK(ask("/v2/a/b/blobs/sha256:%2e%2e") == 400);
}

TEST_CASE("registry server: chunked bodies are read, and malformed ones refused") {
  test::RegistryServer server;
  const auto upload = [&](const std::string& body) {
    const auto location = server.client()->Post("/v2/a/blobs/uploads/")->get_header_value("Location");
    RawClient client(server.port());
    return client.ask("PATCH " + location + host + "Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n" +
                      body);
  };
  CHECK(upload("3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n").find("Range: 0-4\r\n") != std::string::npos);
  CHECK(upload("3\r\nabc\r\n0\r\nTrailer: x\r\n\r\n").find("Range: 0-2\r\n") != std::string::npos);
  for (const std::string body :
       {"x\r\nabc\r\n0\r\n\r\n", "3\r\nabcde\r\n0\r\n\r\n", "-1\r\n\r\n", "\r\n\r\n",
        "3x\r\nabc\r\n0\r\n\r\n", "10000000000000000\r\nabc\r\n", "0x3\r\nabc\r\n0\r\n\r\n"}) {
    CAPTURE(body);
    CHECK(status_of(upload(body)) == 400);
  }
}

TEST_CASE("registry server: what arrived of an interrupted upload is kept, and the upload can go on") {
  test::RegistryServer server;
  const auto client = server.client();
  const auto location = client->Post("/v2/a/blobs/uploads/")->get_header_value("Location");
  RawClient(server.port()).send("PATCH " + location + host + "Content-Length: 100\r\n\r\nabc");
  std::string range;
  for (int i = 0; i < 2'000 && range != "0-2"; ++i) {
    range = client->Get(location)->get_header_value("Range");
    std::this_thread::yield();
  }
  CHECK(range == "0-2");
  const std::string digest = io::digest_of("abcdef").str();
  int status = 409;  // until the server has noticed that the first connection is gone
  for (int i = 0; i < 10'000 && status == 409; ++i) {
    const httplib::Headers headers{{"Content-Range", "3-5"}};
    status = client->Put(location + "?digest=" + digest, headers, "def", "application/octet-stream")->status;
  }
  CHECK(status == 201);
}

TEST_CASE("registry server: compressed and multipart request bodies are refused") {
  test::RegistryServer server;
  const auto client = server.client();
  const auto location = client->Post("/v2/a/blobs/uploads/")->get_header_value("Location");
  const httplib::Headers gzip{{"Content-Encoding", "gzip"}};
  CHECK(client->Patch(location, gzip, "abc", "application/octet-stream")->status == 415);
  CHECK(client->Patch(location, "abc", "multipart/form-data; boundary=x")->status == 415);
  CHECK(client->Get(location)->get_header_value("Range") == "0-0");
}

TEST_CASE("registry server: documents are sent as they are to clients that accept compressed ones") {
  test::RegistryServer server;
  server.push_image("a", "v1", "layer");
  const auto response = server.client()->Get("/v2/a/tags/list", {{"Accept-Encoding", "gzip, br"}});
  CHECK(!response->has_header("Content-Encoding"));
  CHECK(response->body == R"({"name":"a","tags":["v1"]})");
}

TEST_CASE("registry server: a client that asks first is told to go on") {
  test::RegistryServer server;
  const auto client = server.client();
  const auto location = client->Post("/v2/a/blobs/uploads/")->get_header_value("Location");
  RawClient good(server.port());
  const std::string head = "PATCH " + location + host + "Expect: 100-Continue\r\nContent-Length: 3\r\n\r\n";
  CHECK(status_of(good.ask(head, "\r\n\r\n")) == 100);
  CHECK(status_of(good.ask("abc", "\r\n\r\n")) == 202);
  CHECK(client->Get(location)->get_header_value("Range") == "0-2");
}

TEST_CASE("registry server: many clients at once are all served") {
  test::RegistryServer server;
  const std::string digest = server.push_blob("a", test::random_bytes(300'000));
  std::atomic<int> good{0};
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 40; ++i) {
      threads.emplace_back([&] {
        const auto client = server.client();  // stays open: no thread of the server is free for long
        for (int k = 0; k < 3; ++k)
          good += io::digest_of(client->Get("/v2/a/blobs/" + digest)->body).str() == digest;
      });
    }
  }
  CHECK(good == 120);
}

TEST_CASE("registry server: concurrent pushes of tags are all kept") {
  test::RegistryServer server;
  server.push_image("a", "first", "layer");
  const std::string manifest = server.client()->Get("/v2/a/manifests/first")->body;
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 8; ++i) {
      threads.emplace_back([&, i] {
        for (int k = 0; k < 5; ++k) {
          const std::string tag = "t" + std::to_string(i) + "-" + std::to_string(k);
          server.client()->Put("/v2/a/manifests/" + tag, manifest,
                               "application/vnd.oci.image.manifest.v1+json");
        }
      });
    }
  }
  CHECK(count_of(server.client()->Get("/v2/a/tags/list")->body, "\"t") == 41);  // and "tags"
}

TEST_CASE("registry server: stop ends idle connections and uploads at once") {
  test::RegistryServer server;
  RawClient idle(server.port());
  CHECK(status_of(idle.ask(get_base, "{}")) == 200);
  RawClient half(server.port());
  half.send("POST /v2/a/blobs/uploads/?digest=" + io::digest_of("x").str() + host +
            "Content-Length: 100\r\n\r\nabc");
  const auto begin = std::chrono::steady_clock::now();
  (*server).stop();
  CHECK(std::chrono::steady_clock::now() - begin < std::chrono::seconds(2));
  CHECK(idle.receive().empty());
}

TEST_CASE("registry server: wait returns when stop is requested") {
  test::RegistryServer server;
  std::stop_source stop;
  std::jthread stopper([&] { stop.request_stop(); });
  (*server).wait(stop.get_token());
  CHECK(!server.client()->Get("/v2/"));
}

TEST_CASE("registry server: a port that is taken is an error that names it") {
  test::RegistryServer server;
  const registry::ServerOptions options{.port = server.port(), .layout = server.layout()};
  const std::string expected = "listen tcp " + server.authority() + ": bind: address already in use";
  CHECK_THROWS_WITH_AS(registry::Server::start(options, null_logger()), expected.c_str(), Error);
}

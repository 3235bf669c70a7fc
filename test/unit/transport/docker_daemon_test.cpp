#include "transport/docker_daemon/docker_daemon.hpp"

#include <doctest/doctest.h>

#include <thread>

#include "fixture.hpp"
#include "support/fake_daemon.hpp"
#include "transport/docker_daemon/messages.hpp"

using namespace lade;
using namespace lade::test;
using transport::parse_image_name;

namespace {

const std::string daemon_image = "docker-daemon:example.com/image:tag";
const std::string zeros(64, '0');

struct Daemon {
  test::Directory directory;
  FakeDaemon daemon;
  transport::Options options;

  explicit Daemon(const std::string& api_version = "1.41")
      : daemon((directory / "loaded.tar").string(), api_version) {
    options.docker_daemon.host = daemon.host();
    options.big_files_dir = directory.str();
  }
  ScriptedServer& server() { return daemon.server(); }
  void write(const TestImage& image = make_image(docker_options())) { write_image(daemon_image, image, options); }
};

// One that answers as a test says, and pings.
struct Scripted {
  test::Directory directory;
  ScriptedServer server;
  transport::Options options;

  explicit Scripted(ServerOptions chosen = {}) : server(std::move(chosen)) {
    server.on("GET", "/_ping", reply(200, {{"Api-Version", "1.41"}}, "OK"));
    options.docker_daemon.host = "http://" + server.host();
    options.big_files_dir = directory.str();
  }
  void answer_load(Reply answer) { server.on("POST", "/v1.41/images/load", std::move(answer)); }
  void answer_save(Reply answer) { server.on("GET", "/v1.41/images/get", std::move(answer)); }
  std::string load_error() {
    return message_of([&] { write_image(daemon_image, make_image(docker_options()), options); });
  }
  std::string save_error() {
    return message_of([&] { open_source(daemon_image, options); });
  }
};

std::string after(const std::string& text, std::string_view mark) {
  const auto found = text.find(mark);
  return found == std::string::npos ? "" : text.substr(found);
}

}  // namespace

TEST_CASE("docker-daemon: a name is an ID, or has a tag or a digest") {
  for (const std::string& rest : {std::string("busybox:latest"), "busybox@sha256:" + zeros, "sha256:" + zeros,
                                  std::string("h:5/a/b:c")}) {
    CHECK(parse_image_name("docker-daemon:" + rest)->str() == "docker-daemon:" + rest);
  }
  const std::pair<std::string, std::string> refused[] = {
      {"", "invalid reference format"},
      {"UP:1", "invalid reference format: repository name must be lowercase"},
      {"busybox", "docker-daemon: reference busybox has neither a tag nor a digest"},
      {"busybox:1@sha256:" + zeros,
       "docker-daemon: references with both a tag and digest are currently not supported"},
      {zeros, "invalid repository name (" + zeros + "), cannot specify 64-byte hexadecimal strings"},
      {"sha256:abc",
       "Invalid docker-daemon: reference sha256:abc: The sha256 repository name is reserved for "
       "(non-shortened) "
       "digest references"},
      {"sha512:" + zeros + zeros, "Invalid docker-daemon: reference sha512:" + zeros + zeros +
                                      ": only digest algorithm sha256 accepted"}};
  for (const auto& [rest, message] : refused) {
    CHECK(message_of([&, text = rest] { parse_image_name("docker-daemon:" + text); }) == message);
  }
}

TEST_CASE("docker-daemon: policies know images by their names, but not by their IDs") {
  const auto named = parse_image_name("docker-daemon:example.com/a/b:1");
  CHECK(named->policy_identity() == "example.com/a/b:1");
  CHECK(named->policy_scopes() ==
        std::vector<std::string>{"example.com/a/b", "example.com/a", "example.com", "*.com"});
  const auto by_id = parse_image_name("docker-daemon:sha256:" + zeros);
  CHECK(by_id->policy_identity().empty());
  CHECK(by_id->policy_scopes().empty());
}

TEST_CASE("docker-daemon: only a name with a tag can be written to, and nothing deleted") {
  for (const std::string& rest : {"busybox@sha256:" + zeros, "sha256:" + zeros}) {
    const auto reference = parse_image_name("docker-daemon:" + rest);
    CHECK(message_of([&] { reference->open_destination(background(), {}); }) ==
          "Invalid destination docker-daemon:" + rest + ": a destination must be a name:tag");
  }
  CHECK(message_of([&] { parse_image_name(daemon_image)->remove(background(), {}); }) ==
        "Deleting images not implemented for docker-daemon: images");
}

TEST_CASE("docker-daemon: the version of the API is the newest that both sides speak") {
  const std::pair<const char*, const char*> table[] = {{"1.22", "1.22"}, {"1.41", "1.41"}};
  for (const auto& [theirs, used] : table) {
    Daemon daemon(theirs);
    daemon.write();
    open_source(daemon_image, daemon.options);
    const std::string prefix = std::string("/v") + used;
    CHECK(daemon.server().requests("POST", prefix + "/images/load").size() == 1);
    const auto saved = daemon.server().requests("GET", prefix + "/images/get");
    REQUIRE(saved.size() == 1);
    CHECK(saved[0].target == prefix + "/images/get?names=example.com%2Fimage%3Atag");
  }
  const auto path_asked = [](HeaderList headers) {
    ScriptedServer server;
    server.on("GET", "/_ping", reply(200, std::move(headers), "OK"));
    transport::Options options;
    options.docker_daemon.host = "http://" + server.host();
    CHECK_THROWS_AS(open_source(daemon_image, options), Error);
    return server.requests().back().path();
  };
  CHECK(path_asked({{"Api-Version", "1.99"}}) == "/v1.51/images/get");
  CHECK(path_asked({}) == "/v1.24/images/get");
  CHECK(path_asked({{"Api-Version", "../../1"}}) == "/_ping");
}

TEST_CASE("docker-daemon: an image goes in as an archive that docker load reads") {
  Daemon daemon;
  const auto image = make_image(docker_options());
  daemon.write(image);
  const auto archive = open_source("docker-archive:" + (daemon.directory / "loaded.tar").string());
  CHECK(read_blob(*archive, image.config.descriptor.digest) == image.config.bytes);
  for (const auto& layer : image.layers) CHECK(read_blob(*archive, layer.descriptor.digest) == layer.bytes);
  const auto load = daemon.server().requests("POST", "/v1.41/images/load");
  REQUIRE(load.size() == 1);
  CHECK(load[0].target == "/v1.41/images/load?quiet=1");
  CHECK(load[0].header("Content-Type") == "application/x-tar");
  CHECK(load[0].header("Transfer-Encoding") == "chunked");
}

TEST_CASE("docker-daemon: layers stay compressed as they come") {
  Daemon daemon;
  ImageOptions options = docker_options();
  options.compression = io::Compression::gzip;
  const auto image = make_image(options);
  const auto destination = parse_image_name(daemon_image)->open_destination(background(), daemon.options);
  CHECK(destination->traits().layers == transport::DestinationTraits::Layers::preserve);
  put_blobs(*destination, image);
  destination->put_manifest(background(), image.manifest, std::nullopt);
  destination->commit(background());
  const auto source = open_source(daemon_image, daemon.options);
  const auto raw = source->manifest(background(), std::nullopt);
  const auto layers = spec::Manifest::parse(raw.bytes, raw.media_type).layers();
  REQUIRE(layers.size() == image.diff_ids.size());
  for (std::size_t i = 0; i < layers.size(); ++i) CHECK(layers[i].digest == image.diff_ids[i].digest);
}

TEST_CASE("docker-daemon: what the daemon sends waits in the folder for big files and is gone at the end") {
  Daemon daemon;
  daemon.write();
  const auto before = daemon.directory.snapshot();
  {
    const auto source = open_source(daemon_image, daemon.options);
    CHECK(source->synthesizes_manifest());
    CHECK(message_of([&] { source->manifest(background(), spec::Digest::parse("sha256:" + zeros)); }) ==
          "Manifest lists are not supported by \"docker-daemon:\"");
  }
  CHECK(daemon.directory.snapshot() == before);
}

TEST_CASE("docker-daemon: an image that is not there is what the daemon says it is") {
  Daemon daemon;
  const Error error = error_of([&] { open_source(daemon_image, daemon.options); });
  CHECK(error.kind() == Kind::not_found);
  CHECK(error.what() ==
        std::string("loading image from docker engine: Error response from daemon: No such image"));
}

TEST_CASE("docker-daemon: a daemon that is not there is not asked again and again") {
  transport::Options options;
  const std::pair<std::string, std::string> hosts[] = {
      {"unix:///nonexistent/socket", ""}, {"unix://@nobody listens here", ""}, {"http://127.0.0.1:1", ""}};
  for (const auto& host : hosts) {
    options.docker_daemon.host = host.first;
    const Error error = error_of([&] { open_source(daemon_image, options); });
    CHECK(error.kind() == Kind::system);
    CHECK(error.what() == "loading image from docker engine: Cannot connect to the Docker daemon at " +
                              host.first + ". Is the docker daemon running?");
  }
}

TEST_CASE("docker-daemon: a host must be an address of a known kind") {
  transport::Options options;
  const std::pair<const char*, const char*> table[] = {
      {"bogus", "initializing docker engine client: unable to parse docker host `bogus`"},
      {"unix://", "initializing docker engine client: unable to parse docker host `unix://`"},
      {"ssh://host",
       "initializing docker engine client: docker host `ssh://host`: only unix://, tcp://, http:// and "
       "https:// are "
       "supported"}};
  for (const auto& [host, message] : table) {
    options.docker_daemon.host = host;
    CHECK(message_of([&] { open_source(daemon_image, options); }) == message);
  }
}

TEST_CASE("docker-daemon: whatever a daemon has to complain about is one line") {
  const std::pair<Reply, const char*> table[] = {
      {reply(200, {},
             "{\"stream\":\"a\"}\r\n{\"errorDetail\":{\"message\":\"no space\\nleft\"},\"error\":\"x\"}"),
       "docker engine reported: \"no space left\""},
      {reply(200, {}, R"({"stream":"}{"}{"error":"too old"})"), "docker engine reported: \"too old\""},
      {reply(200, {}, "{\"stream\":"), "parsing docker load progress: "},
      {reply(200, {}, "<html>"), "parsing docker load progress: "},
      {reply(500, {}, R"({"message":"failed:\n * oci: no\n * dir: no"})"),
       "Error response from daemon: failed: * oci: no * dir: no"},
      {reply(503, {}, "busy\n"), "Error response from daemon: busy"},
      {reply(500),
       "Error response from daemon: request returned 500 for API route /v1.41/images/load?quiet=1"}};
  for (const auto& [answer, message] : table) {
    Scripted daemon;
    daemon.answer_load(answer);
    const std::string error = daemon.load_error();
    CHECK(after(error, message) != "");
    CHECK(error.find('\n') == std::string::npos);
  }
}

TEST_CASE("docker-daemon: a daemon that refuses an image before it has read it is heard") {
  Scripted daemon;
  Reply early = reply(413, {}, R"({"message":"too large"})");
  early.read_body = false;
  daemon.answer_load(early);
  ImageOptions options = docker_options();
  const auto image = make_image(options);
  const auto destination = parse_image_name(daemon_image)->open_destination(background(), daemon.options);
  const std::string big(16 << 20, 'x');
  const auto reader = io::make_text_reader(big);
  transport::PutBlob blob;
  blob.digest = io::digest_of(big);
  blob.size = big.size();
  CHECK(message_of([&] { destination->put_blob(background(), blob, *reader); }) ==
        "Error response from daemon: too large");
}

TEST_CASE("docker-daemon: a daemon that never stops talking is cut short") {
  std::string babble;
  for (int i = 0; i < 3; ++i) babble.append(1 << 20, 'x');
  Scripted one;
  one.answer_load(reply(200, {}, "{\"stream\":\"" + babble + "\"}"));
  CHECK(after(one.load_error(), "the daemon says too much") != "");
  Scripted other;
  other.answer_save(reply(500, {}, babble));
  CHECK(after(other.save_error(), "larger than") != "");
}

TEST_CASE("docker-daemon: an archive that is cut off or none at all is refused") {
  Daemon whole;
  whole.write();
  Reply half = reply(200, {}, whole.directory.read("loaded.tar"));
  half.cut_at = half.bytes.size() / 2;
  Scripted cut;
  cut.answer_save(half);
  CHECK(cut.save_error() == "loading image from docker engine: unexpected EOF");
  Scripted other;
  other.answer_save(reply(200, {}, "hello"));
  CHECK_THROWS_AS(open_source(daemon_image, other.options), Error);
}

TEST_CASE("docker-daemon: a stop ends the wait for a silent daemon") {
  Scripted daemon;
  Reply never = reply(200);
  never.before = std::make_shared<Gate>();
  daemon.answer_save(never);
  daemon.answer_load(never);
  std::stop_source stop;
  const Context context = background().with_stop(stop.get_token());
  std::thread stopper([&] {
    while (daemon.server.requests().size() < 2) std::this_thread::sleep_for(std::chrono::milliseconds(5));
    stop.request_stop();
  });
  SUBCASE("that packs an image") {
    CHECK_THROWS_AS(parse_image_name(daemon_image)->open_source(context, daemon.options), Cancelled);
  }
  SUBCASE("that unpacks one") {
    const auto image = make_image(docker_options());
    const auto destination = parse_image_name(daemon_image)->open_destination(context, daemon.options);
    put_blobs(*destination, image);
    destination->put_manifest(context, image.manifest, std::nullopt);
    CHECK_THROWS_AS(destination->commit(context), Cancelled);
  }
  stopper.join();
}

TEST_CASE("docker-daemon: tcp is TLS, with the certificates of a folder") {
  const Certificate authority = make_certificate({.common_name = "ca", .names = {}, .authority = true});
  const Certificate client = make_certificate({.common_name = "client"}, &authority);
  Scripted daemon({.tls = make_certificate({}, &authority), .client_ca_pem = authority.cert_pem});
  daemon.answer_save(reply(404, {}, R"({"message":"reached"})"));
  auto& options = daemon.options.docker_daemon;
  options.host = "tcp://" + daemon.server.host();
  options.cert_dir = (daemon.directory / "certs").string();

  CHECK(daemon.save_error() == "initializing docker engine client: could not read CA certificate \"" +
                                   options.cert_dir + "/ca.pem\": open " + options.cert_dir +
                                   "/ca.pem: no such file or directory");
  daemon.directory.write("certs/ca.pem", authority.cert_pem);
  CHECK(daemon.save_error() == "initializing docker engine client: Could not load X509 key pair: open " +
                                   options.cert_dir + "/cert.pem: no such file or directory");
  daemon.directory.write("certs/cert.pem", client.cert_pem);
  daemon.directory.write("certs/key.pem", client.key_pem);
  CHECK(after(daemon.save_error(), "Error response") == "Error response from daemon: reached");

  daemon.directory.write("certs/ca.pem", client.cert_pem);
  CHECK(after(daemon.save_error(), "tls: failed to verify certificate") != "");
  options.tls_verify = false;
  CHECK(after(daemon.save_error(), "Error response") == "Error response from daemon: reached");
  options.cert_dir.clear();
  CHECK(after(daemon.save_error(), "remote error: tls: ") != "");
}

TEST_CASE("docker-daemon: the images of a daemon can be listed and found") {
  Scripted daemon;
  const std::string ones(64, '1');
  daemon.server.on("GET", "/v1.41/images/json",
                   reply(200, {},
                         R"([{"Id":"sha256:)" + zeros + R"(","RepoTags":["a:1","b:2"]},{"Id":")" + ones +
                             R"(","RepoTags":["<none>:<none>"]},{"Id":")" + ones + R"("}])"));
  daemon.server.on("GET", "/v1.41/images/example.com/image:tag/json",
                   {reply(200, {}, R"({"Id":"sha256:)" + zeros + R"("})"),
                    reply(404, {}, R"({"message":"no such image"})"), reply(500, {}, "broken")});
  const auto images = transport::list_daemon_images(background(), daemon.options);
  REQUIRE(images.size() == 3);
  CHECK(images[0].id.hex() == zeros);
  CHECK(images[0].tags == std::vector<std::string>{"a:1", "b:2"});
  CHECK(images[1].tags.empty());
  const auto reference = parse_image_name(daemon_image);
  CHECK(transport::find_daemon_image(background(), *reference, daemon.options)->hex() == zeros);
  CHECK_FALSE(transport::find_daemon_image(background(), *reference, daemon.options));
  CHECK_THROWS_AS(transport::find_daemon_image(background(), *reference, daemon.options), Error);
}

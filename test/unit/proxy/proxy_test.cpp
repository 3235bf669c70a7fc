#include "proxy/proxy.hpp"

#include <doctest/doctest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstring>
#include <thread>
#include <vector>

#include "os/file.hpp"
#include "spec/json.hpp"
#include "spec/media_type.hpp"
#include "support/errors.hpp"
#include "support/memory_transport.hpp"

using namespace lade;
using namespace lade::test;
using spec::Json;

namespace {

namespace types = spec::media_type;

struct Answer {
  Json reply;
  std::vector<os::UniqueFd> descriptors{};
  bool succeeded() const { return reply["success"].get<bool>(); }
  std::string error() const { return reply["error"].get<std::string>(); }
};

std::string drain(os::UniqueFd fd) {
  os::FileReader reader(std::move(fd));
  return io::read_all(reader, 1 << 26, "pipe");
}

config::PolicyRequirements reject_all() {
  return {config::Reject{}};
}

// A proxy in a thread, and its client. The image is "memory:image"; "memory:none" is not there.
class Client {
 public:
  explicit Client(bool accepts = true) : reference_("image"), empty_("none") {
    std::signal(SIGPIPE, SIG_IGN);
    std::array<int, 2> ends{};
    REQUIRE(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()) == 0);
    socket_.reset(ends[0]);
    const config::Policy policy{
        accepts ? config::PolicyRequirements{config::InsecureAcceptAnything{}} : reject_all(), {}};
    thread_ = std::thread([this, end = ends[1], policy] {
      const proxy::ProxyOptions options{
          .parse =
              [this](const std::string& name) {
                return std::make_unique<MemoryReference>(name == "memory:none" ? empty_ : reference_);
              },
          .transport_options = [](const transport::ImageReference&) { return transport::Options(); },
          .policy = [policy] { return trust::PolicyContext(policy); },
          .platform = {"linux", "amd64", ""}};
      proxy::serve(background(), os::UniqueFd(end), options);
    });
  }
  ~Client() {
    socket_.reset();
    thread_.join();
  }

  MemoryStore& store() { return *reference_.store; }

  Answer send(const std::string& text) {
    REQUIRE(::send(socket_.get(), text.data(), text.size(), MSG_NOSIGNAL) ==
            static_cast<ssize_t>(text.size()));
    std::string buffer(64 * 1024, '\0');
    alignas(::cmsghdr) std::array<char, CMSG_SPACE(2 * sizeof(int))> control{};
    ::iovec part{buffer.data(), buffer.size()};
    ::msghdr header{};
    header.msg_iov = &part;
    header.msg_iovlen = 1;
    header.msg_control = control.data();
    header.msg_controllen = control.size();
    const auto size = ::recvmsg(socket_.get(), &header, 0);
    REQUIRE(size > 0);
    Answer answer{spec::parse_json(buffer.substr(0, static_cast<std::size_t>(size)), "reply")};
    if (const ::cmsghdr* rights = CMSG_FIRSTHDR(&header)) {
      for (std::size_t i = 0; i < (rights->cmsg_len - CMSG_LEN(0)) / sizeof(int); ++i) {
        int fd = -1;
        std::memcpy(&fd, CMSG_DATA(rights) + i * sizeof fd, sizeof fd);
        answer.descriptors.emplace_back(fd);
      }
    }
    return answer;
  }

  Answer call(const std::string& method, Json args = Json::array()) {
    return send(spec::dump_json({{"method", method}, {"args", std::move(args)}}));
  }

  // What comes through the pipe of the answer, which is ended in order.
  std::string fetch(const std::string& method, const Json& args, Json* value = nullptr) {
    auto answer = call(method, args);
    CAPTURE(answer.reply.dump());
    REQUIRE(answer.descriptors.size() == 1);
    if (value != nullptr) *value = answer.reply["value"];
    const Json pipe = answer.reply["pipeid"];
    std::string text;
    std::thread reader([&] { text = drain(std::move(answer.descriptors[0])); });
    const auto end = call("FinishPipe", Json::array({pipe}));
    reader.join();
    CHECK(end.succeeded());
    return text;
  }

  Json open() {
    CHECK(call("Initialize").reply["value"] == "0.2.8");
    return call("OpenImage", Json::array({"memory:image"})).reply["value"];
  }

 private:
  MemoryReference reference_, empty_;
  os::UniqueFd socket_;
  std::thread thread_;
};

constexpr const char* config_text =
    R"({"architecture":"amd64","os":"linux","config":{"Cmd":["sh"]},"rootfs":{"type":"layers","diff_ids":[]},"container":"x"})";

spec::RawManifest add_image_of(MemoryStore& store, std::string_view type, const std::string& layer) {
  const bool docker = type == types::docker_manifest;
  const auto manifest = spec::Manifest::make(
      type, add_blob(store, docker ? types::docker_config : types::oci_config, config_text),
      {add_blob(store, docker ? types::docker_layer_tar : types::oci_layer_tar, layer)});
  std::string bytes = manifest.serialize();
  const auto digest = io::digest_of(bytes);
  return {std::move(bytes), std::string(type), digest};
}

spec::Digest add_top_image(Client& client, std::string_view type = types::oci_manifest,
                           const std::string& layer = "layer") {
  const auto manifest = add_image_of(client.store(), type, layer);
  set_top(client.store(), manifest);
  return manifest.digest;
}

}  // namespace

TEST_CASE("proxy: manifest, config, layers and blobs of an image come through pipes") {
  Client client;
  const auto digest = add_top_image(client);
  const Json id = client.open();
  Json value;
  const std::string bytes = client.fetch("GetManifest", Json::array({id}), &value);
  CHECK(value == digest.str());
  CHECK(io::digest_of(bytes) == digest);
  const Json config = spec::parse_json(client.fetch("GetFullConfig", Json::array({id})), "config");
  CHECK(config["architecture"] == "amd64");
  CHECK_FALSE(config.contains("container"));
  CHECK(client.fetch("GetConfig", Json::array({id})) == R"({"Cmd":["sh"]})");
  const Json layers = spec::parse_json(client.fetch("GetLayerInfoPiped", Json::array({id})), "layers");
  CHECK(layers == client.call("GetLayerInfo", Json::array({id})).reply["value"]);
  CHECK(layers[0]["media_type"] == types::oci_layer_tar);
  CHECK(client.fetch("GetBlob", {id, layers[0]["digest"], layers[0]["size"]}, &value) == "layer");
  CHECK(value == 5);
  CHECK(client.call("CloseImage", Json::array({id})).succeeded());
  CHECK(client.call("GetManifest", Json::array({id})).error() == "no image 1");
}

TEST_CASE("proxy: an image in Docker's format is shown in OCI's, under its own digest") {
  Client client;
  const auto digest = add_top_image(client, types::docker_manifest);
  const Json id = client.open();
  Json value;
  const std::string bytes = client.fetch("GetManifest", Json::array({id}), &value);
  CHECK(value == digest.str());
  CHECK(spec::Manifest::parse(bytes, types::oci_manifest).layers().at(0).media_type == types::oci_layer_tar);
}

TEST_CASE("proxy: of a list the instance for this platform is shown") {
  Client client;
  auto instance = add_manifest(client.store(), add_image_of(client.store(), types::oci_manifest, "ours"));
  instance.platform = spec::Platform{"linux", "amd64", "", "", {}};
  const std::string bytes = spec::Index::make(types::oci_index, {instance}).serialize();
  set_top(client.store(), {bytes, std::string(types::oci_index), io::digest_of(bytes)});
  Json value;
  const Json id = client.open();
  client.fetch("GetManifest", Json::array({id}), &value);
  CHECK(value == instance.digest.str());
}

TEST_CASE("proxy: an image that is not there is an error, or zero when that is asked for") {
  Client client;
  client.call("Initialize");
  CHECK_FALSE(client.call("OpenImage", Json::array({"memory:none"})).succeeded());
  const auto answer = client.call("OpenImageOptional", Json::array({"memory:none"}));
  CHECK(answer.succeeded());
  CHECK(answer.reply["value"] == 0);
}

TEST_CASE("proxy: the policy decides when an image is opened, however it is") {
  Client client(false);
  add_top_image(client);
  client.call("Initialize");
  for (const char* method : {"OpenImage", "OpenImageOptional"}) {
    const auto answer = client.call(method, Json::array({"memory:image"}));
    CHECK_FALSE(answer.succeeded());
    CHECK(answer.error().find("Source image rejected") != std::string::npos);
  }
  CHECK(client.call("GetManifest", Json::array({1})).error() == "no image 1");
}

TEST_CASE("proxy: a blob that is not what its digest says fails at the end of its pipe") {
  Client client;
  add_top_image(client);
  const Json id = client.open();
  const auto digest = io::digest_of("layer");
  client.store().lock()->blobs[digest.str()] = "other";
  for (const Json& args : {Json::array({id, digest.str(), 5}), Json::array({id, digest.str(), 4})}) {
    auto answer = client.call("GetBlob", args);
    const Json pipe = answer.reply["pipeid"];
    // Five bytes fit into the pipe: they need no reader.
    const auto end = client.call("FinishPipe", Json::array({pipe}));
    CHECK_FALSE(end.succeeded());
    CHECK(end.reply["error_code"] == "other");
  }
}

TEST_CASE("proxy: a raw blob comes as it is, with a second pipe for errors") {
  Client client;
  const std::string layer(3'000'000, 'l');
  add_top_image(client, types::oci_manifest, layer);
  const Json id = client.open();
  auto answer = client.call("GetRawBlob", {id, io::digest_of(layer).str()});
  REQUIRE(answer.descriptors.size() == 2);
  CHECK(answer.reply["value"] == layer.size());
  CHECK(answer.reply["pipeid"] == 0);
  CHECK(drain(std::move(answer.descriptors[0])) == layer);
  CHECK(drain(std::move(answer.descriptors[1])).empty());
}

TEST_CASE("proxy: who stops reading a raw blob is told so, and other requests go on") {
  Client client;
  const std::string layer(3'000'000, 'l');
  add_top_image(client, types::oci_manifest, layer);
  const Json id = client.open();
  auto answer = client.call("GetRawBlob", {id, io::digest_of(layer).str()});
  CHECK(client.call("GetLayerInfo", Json::array({id})).succeeded());
  answer.descriptors.at(0).reset();
  CHECK(spec::parse_json(drain(std::move(answer.descriptors.at(1))), "error")["code"] == "EPIPE");
}

TEST_CASE("proxy: the end of the client ends transfers that nobody reads") {
  Client client;
  const std::string layer(3'000'000, 'l');
  add_top_image(client, types::oci_manifest, layer);
  const Json id = client.open();
  const auto raw = client.call("GetRawBlob", {id, io::digest_of(layer).str()});
  const auto checked = client.call("GetBlob", {id, io::digest_of(layer).str(), layer.size()});
  CHECK(checked.succeeded());
}

TEST_CASE("proxy: wrong requests are answered, not obeyed") {
  Client client;
  CHECK(client.call("OpenImage", Json::array({"memory:image"})).error() ==
        "client error: must invoke Initialize");
  CHECK(client.call("Initialize", Json::array({1})).error() == "invalid request, expecting zero arguments");
  CHECK(client.call("Initialize").succeeded());
  CHECK(client.call("Initialize").error() == "already initialized");
  CHECK(client.call("Rm", Json::array({"/"})).error() == "unknown method: Rm");
  for (const char* text : {"no JSON", "[]", R"({"method":1})", R"({"method":"GetManifest","args":3})"})
    CHECK_FALSE(client.send(text).succeeded());
  CHECK_FALSE(client.send(std::string(40'000, ' ')).succeeded());
  for (const Json& args : {Json::array(), Json::array({"x"}), Json::array({-1}), Json::array({0}),
                           Json::array({1e300}), Json::array({7}), Json::array({nullptr})}) {
    for (const char* method : {"CloseImage", "GetManifest", "FinishPipe", "GetLayerInfo"})
      CHECK_FALSE(client.call(method, args).succeeded());
  }
}

TEST_CASE("proxy: only a socket of messages is served") {
  std::array<int, 2> ends{};
  REQUIRE(::pipe(ends.data()) == 0);
  const os::UniqueFd writer(ends[1]);
  CHECK_THROWS_AS(proxy::serve(background(), os::UniqueFd(ends[0]), {}), Error);
  REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends.data()) == 0);
  const os::UniqueFd other(ends[1]);
  CHECK(kind_of([&] { proxy::serve(background(), os::UniqueFd(ends[0]), {}); }) == Kind::invalid_input);
}

#include <doctest/doctest.h>

#include "os/file.hpp"
#include "support/registry_server.hpp"
#include "support/streams.hpp"

using namespace lade;

namespace {

const std::string octets = "application/octet-stream";
const std::string pushed_manifest_type = "application/vnd.oci.image.manifest.v1+json";
const std::string pushed_index_type = "application/vnd.oci.image.index.v1+json";

std::string begin_upload(httplib::Client& client, const std::string& repository = "a/b") {
  const auto response = client.Post("/v2/" + repository + "/blobs/uploads/");
  REQUIRE(response);
  REQUIRE(response->status == 202);
  return response->get_header_value("Location");
}

httplib::Headers chunk(std::size_t first, std::size_t last) {
  return {{"Content-Range", std::to_string(first) + "-" + std::to_string(last)}};
}

std::size_t files_in(const std::filesystem::path& folder) {
  const auto all = std::filesystem::directory_iterator(folder);
  return static_cast<std::size_t>(std::distance(begin(all), end(all)));
}

}  // namespace

TEST_CASE("registry server: a blob pushed in one POST can be pulled") {
  test::RegistryServer server;
  const auto client = server.client();
  const std::string text = test::random_bytes(700'000);
  const std::string digest = io::digest_of(text).str();
  const auto pushed = client->Post("/v2/a/b/blobs/uploads/?digest=" + digest, text, octets);
  CHECK(pushed->status == 201);
  CHECK(pushed->get_header_value("Location") == "/v2/a/b/blobs/" + digest);
  CHECK(pushed->get_header_value("Docker-Content-Digest") == digest);
  CHECK((client->Get("/v2/a/b/blobs/" + digest)->body == text));
}

TEST_CASE("registry server: a blob pushed by POST and PUT can be pulled, of no bytes, too") {
  test::RegistryServer server;
  const auto client = server.client();
  for (const std::string text : {"", "x", "some text"}) {
    CAPTURE(text);
    const std::string digest = io::digest_of(text).str();
    CHECK(client->Put(begin_upload(*client) + "?digest=" + digest, text, octets)->status == 201);
    CHECK(client->Get("/v2/a/b/blobs/" + digest)->body == text);
  }
}

TEST_CASE("registry server: a blob pushed by one PATCH without a length can be pulled") {
  test::RegistryServer server;
  const auto client = server.client();
  const std::string text = test::random_bytes(1'000'000);
  const std::string location = begin_upload(*client);
  const auto provide = [&](std::size_t offset, httplib::DataSink& sink) {
    sink.write(text.data() + offset, std::min<std::size_t>(70'000, text.size() - offset));
    if (offset + 70'000 >= text.size()) sink.done();
    return true;
  };
  const auto patched = client->Patch(location, httplib::Headers{}, provide, octets);
  CHECK(patched->status == 202);
  CHECK(patched->get_header_value("Range") == "0-999999");
  const std::string digest = io::digest_of(text).str();
  CHECK(client->Put(location + "?digest=" + digest)->status == 201);
  CHECK((client->Get("/v2/a/b/blobs/" + digest)->body == text));
}

TEST_CASE("registry server: chunks are put together, the last one in the PUT") {
  test::RegistryServer server;
  const auto client = server.client();
  const std::string location = begin_upload(*client);
  CHECK(client->Patch(location, chunk(0, 2), "abc", octets)->get_header_value("Range") == "0-2");
  CHECK(client->Patch(location, chunk(3, 4), "de", octets)->get_header_value("Range") == "0-4");
  const std::string digest = io::digest_of("abcdefg").str();
  CHECK(client->Put(location + "?digest=" + digest, chunk(5, 6), "fg", octets)->status == 201);
  CHECK(client->Get("/v2/a/b/blobs/" + digest)->body == "abcdefg");
}

TEST_CASE("registry server: a chunk out of order is refused with 416 and says where to go on") {
  test::RegistryServer server;
  const auto client = server.client();
  const std::string location = begin_upload(*client);
  client->Patch(location, chunk(0, 2), "abc", octets);
  for (const std::size_t first : {0UL, 2UL, 4UL}) {
    const auto refused = client->Patch(location, chunk(first, first + 2), "xyz", octets);
    CHECK(refused->status == 416);
    CHECK(refused->get_header_value("Range") == "0-2");
    CHECK(refused->get_header_value("Location") == location);
  }
  CHECK(client->Put(location + "?digest=" + io::digest_of("abc").str())->status == 201);
}

TEST_CASE("registry server: a Content-Range that is malformed or does not fit its length is refused") {
  test::RegistryServer server;
  const auto client = server.client();
  const std::string location = begin_upload(*client);
  for (const std::string range :
       {"", "0", "a-b", "2-0", "0-", "-3", "0-1", "0-3", "99999999999999999999-1"}) {
    CAPTURE(range);
    CHECK(client->Patch(location, httplib::Headers{{"Content-Range", range}}, "abc", octets)->status == 400);
  }
  CHECK(client->Patch(location, httplib::Headers{{"Content-Range", "bytes 0-2/*"}}, "abc", octets)->status ==
        202);
}

TEST_CASE("registry server: the status of an upload tells how much is there") {
  test::RegistryServer server;
  const auto client = server.client();
  const std::string location = begin_upload(*client);
  CHECK(client->Get(location)->get_header_value("Range") == "0-0");
  client->Patch(location, "abcd", octets);
  const auto status = client->Get(location);
  CHECK(status->status == 204);
  CHECK(status->get_header_value("Range") == "0-3");
  CHECK(status->get_header_value("Location") == location);
}

TEST_CASE("registry server: a cancelled upload is gone and leaves no file") {
  test::RegistryServer server;
  const auto client = server.client();
  const auto before = files_in(server.layout());
  const std::string location = begin_upload(*client);
  client->Patch(location, "abcd", octets);
  CHECK(files_in(server.layout()) == before + 1);
  CHECK(client->Delete(location)->status == 204);
  CHECK(client->Get(location)->status == 404);
  CHECK(client->Delete(location)->status == 404);
  CHECK(files_in(server.layout()) == before);
}

TEST_CASE("registry server: an upload belongs to its repository") {
  test::RegistryServer server;
  const auto client = server.client();
  std::string location = begin_upload(*client, "one");
  location.replace(location.find("one"), 3, "two");
  const auto refused = client->Patch(location, "abc", octets);
  CHECK(refused->status == 404);
  CHECK(refused->body.find("BLOB_UPLOAD_UNKNOWN") != std::string::npos);
}

TEST_CASE("registry server: a blob with another digest is refused and leaves nothing behind") {
  test::RegistryServer server;
  const auto client = server.client();
  const auto before = files_in(server.layout());
  const std::string digest = io::digest_of("what was announced").str();
  const std::string location = begin_upload(*client);
  for (const std::string& path : {location, std::string("/v2/a/b/blobs/uploads/")}) {
    const bool post = path != location;
    const auto refused = post ? client->Post(path + "?digest=" + digest, "other", octets)
                              : client->Put(path + "?digest=" + digest, "other", octets);
    CHECK(refused->status == 400);
    CHECK(refused->body.find("DIGEST_INVALID") != std::string::npos);
  }
  CHECK(client->Get(location)->status == 404);
  CHECK(client->Head("/v2/a/b/blobs/" + digest)->status == 404);
  CHECK(files_in(server.layout()) == before);
  CHECK(files_in(server.layout() / "blobs" / "sha256") == 0);
}

TEST_CASE("registry server: an upload without a valid digest at its end is refused and goes on") {
  test::RegistryServer server;
  const auto client = server.client();
  const std::string location = begin_upload(*client);
  for (const std::string query : {"", "?digest=", "?digest=sha256:abc", "?digest=md5:00"}) {
    CHECK(client->Put(location + query)->status == 400);
  }
  CHECK(client->Put(location + "?digest=" + io::digest_of("").str())->status == 201);
}

TEST_CASE("registry server: a sha512 blob is checked and kept as such") {
  test::RegistryServer server;
  const auto client = server.client();
  const std::string text = test::random_bytes(600'000);
  const std::string digest = io::digest_of(text, spec::Digest::Algorithm::sha512).str();
  CHECK(client->Post("/v2/a/blobs/uploads/?digest=" + digest, "other", octets)->status == 400);
  CHECK(client->Post("/v2/a/blobs/uploads/?digest=" + digest, text, octets)->status == 201);
  CHECK((client->Get("/v2/a/blobs/" + digest)->body == text));
}

TEST_CASE("registry server: a percent-encoded digest in the query is understood") {
  test::RegistryServer server;
  const auto client = server.client();
  const std::string hex = io::digest_of("x").hex();
  CHECK(client->Put(begin_upload(*client) + "?digest=sha256%3A" + hex, "x", octets)->status == 201);
  CHECK(client->Put(begin_upload(*client) + "?digest=sha256%3", "x", octets)->status == 400);
}

TEST_CASE("registry server: a blob is mounted when it is there, and an upload begins when not") {
  test::RegistryServer server;
  const auto client = server.client();
  const std::string digest = server.push_blob("one", "text");
  const auto mounted = client->Post("/v2/two/blobs/uploads/?mount=" + digest + "&from=one");
  CHECK(mounted->status == 201);
  CHECK(mounted->get_header_value("Location") == "/v2/two/blobs/" + digest);
  const auto missing =
      client->Post("/v2/two/blobs/uploads/?mount=" + io::digest_of("no").str() + "&from=one");
  CHECK(missing->status == 202);
  CHECK(missing->get_header_value("Location").starts_with("/v2/two/blobs/uploads/"));
}

TEST_CASE("registry server: a pushed image is there by tag and by digest, byte for byte") {
  test::RegistryServer server;
  const auto client = server.client();
  const std::string digest = server.push_image("a/b", "v1", "layer");
  for (const std::string& reference : {std::string("v1"), digest}) {
    const auto manifest = client->Get("/v2/a/b/manifests/" + reference);
    CHECK(manifest->status == 200);
    CHECK(manifest->get_header_value("Content-Type") == pushed_manifest_type);
    CHECK(manifest->get_header_value("Docker-Content-Digest") == digest);
    CHECK(io::digest_of(manifest->body).str() == digest);
  }
}

TEST_CASE("registry server: a manifest is refused while its blobs are missing") {
  test::RegistryServer server;
  const auto client = server.client();
  const std::string manifest = server.image_manifest("{}", "layer");
  const auto refused = client->Put("/v2/a/manifests/v1", manifest, pushed_manifest_type);
  CHECK(refused->status == 404);
  CHECK(refused->body.find("MANIFEST_BLOB_UNKNOWN") != std::string::npos);
  server.push_blob("a", "{}");
  CHECK(client->Put("/v2/a/manifests/v1", manifest, pushed_manifest_type)->status == 404);
  server.push_blob("a", "layer");
  CHECK(client->Put("/v2/a/manifests/v1", manifest, pushed_manifest_type)->status == 201);
}

TEST_CASE("registry server: a manifest with a wrong size for a blob is refused") {
  test::RegistryServer server;
  const auto client = server.client();
  server.push_blob("a", "{}");
  server.push_blob("a", "layer");
  std::string manifest = server.image_manifest("{}", "layer");
  manifest.replace(manifest.find("\"size\":5"), 8, "\"size\":6");
  CHECK(client->Put("/v2/a/manifests/v1", manifest, pushed_manifest_type)->status == 400);
}

TEST_CASE("registry server: broken, foreign and too large manifests are refused") {
  test::RegistryServer server;
  const auto client = server.client();
  server.push_image("a", "v1", "layer");
  const std::string good = server.image_manifest("{}", "layer");
  CHECK(client->Put("/v2/a/manifests/v2", "not json", pushed_manifest_type)->status == 400);
  CHECK(client->Put("/v2/a/manifests/v2", "{}", pushed_manifest_type)->status == 400);
  CHECK(client->Put("/v2/a/manifests/v2", good, pushed_index_type)->status == 400);
  CHECK(client->Put("/v2/a/manifests/v2", good, "text/plain")->status == 400);
  CHECK(client->Put("/v2/a/manifests/-v2", good, pushed_manifest_type)->status == 400);
  CHECK(client->Put("/v2/a/manifests/v2", std::string(5 << 20, ' '), pushed_manifest_type)->status == 413);
  CHECK(client->Get("/v2/a/manifests/v2")->status == 404);
}

TEST_CASE("registry server: a manifest pushed under another digest is refused") {
  test::RegistryServer server;
  const auto client = server.client();
  server.push_blob("a", "{}");
  server.push_blob("a", "layer");
  const std::string manifest = server.image_manifest("{}", "layer");
  const auto refused =
      client->Put("/v2/a/manifests/" + io::digest_of("x").str(), manifest, pushed_manifest_type);
  CHECK(refused->status == 400);
  CHECK(refused->body.find("DIGEST_INVALID") != std::string::npos);
  CHECK(client->Put("/v2/a/manifests/" + io::digest_of(manifest).str(), manifest, pushed_manifest_type)
            ->status == 201);
}

TEST_CASE("registry server: an index needs its manifests") {
  test::RegistryServer server;
  const auto client = server.client();
  const std::string manifest = server.image_manifest("{}", "layer");
  const std::string index = R"({"schemaVersion":2,"mediaType":")" + pushed_index_type + R"(","manifests":[)" +
                            server.descriptor(pushed_manifest_type, manifest) + "]}";
  CHECK(client->Put("/v2/a/manifests/v1", index, pushed_index_type)->status == 404);
  server.push_blob("a", "{}");
  server.push_blob("a", "layer");
  client->Put("/v2/a/manifests/" + io::digest_of(manifest).str(), manifest, pushed_manifest_type);
  CHECK(client->Put("/v2/a/manifests/v1", index, pushed_index_type)->status == 201);
  CHECK(client->Get("/v2/a/manifests/v1")->get_header_value("Content-Type") == pushed_index_type);
}

TEST_CASE("registry server: a moved tag leaves the old manifest in the repository") {
  test::RegistryServer server;
  const auto client = server.client();
  const std::string first = server.push_image("a", "v1", "first");
  const std::string second = server.push_image("a", "v1", "second");
  CHECK(client->Get("/v2/a/manifests/v1")->get_header_value("Docker-Content-Digest") == second);
  CHECK(client->Get("/v2/a/manifests/" + first)->status == 200);
}

TEST_CASE("registry server: a manifest by digest is unknown to other repositories") {
  test::RegistryServer server;
  const std::string digest = server.push_image("a", "v1", "layer");
  CHECK(server.client()->Get("/v2/b/manifests/" + digest)->status == 404);
}

TEST_CASE("registry server: a deleted tag is gone and its manifest stays") {
  test::RegistryServer server;
  const auto client = server.client();
  const std::string digest = server.push_image("a", "v1", "layer");
  CHECK(client->Delete("/v2/a/manifests/v1")->status == 202);
  CHECK(client->Get("/v2/a/manifests/v1")->status == 404);
  CHECK(client->Get("/v2/a/manifests/" + digest)->status == 200);
  CHECK(client->Delete("/v2/a/manifests/v1")->status == 404);
}

TEST_CASE("registry server: a deleted manifest takes its tags along") {
  test::RegistryServer server;
  const auto client = server.client();
  const std::string digest = server.push_image("a", "v1", "layer");
  server.push_image("a", "v2", "layer");
  server.push_image("a", "other", "other");
  CHECK(client->Delete("/v2/a/manifests/" + digest)->status == 202);
  CHECK(client->Delete("/v2/a/manifests/" + digest)->status == 404);
  CHECK(client->Get("/v2/a/tags/list")->body == R"({"name":"a","tags":["other"]})");
}

TEST_CASE("registry server: a blob can be deleted when no manifest needs it") {
  test::RegistryServer server;
  const auto client = server.client();
  const std::string manifest = server.push_image("a", "v1", "layer");
  const std::string path = "/v2/a/blobs/" + io::digest_of("layer").str();
  CHECK(client->Delete(path)->status == 405);
  CHECK(client->Delete("/v2/a/blobs/" + manifest)->status == 405);
  client->Delete("/v2/a/manifests/" + manifest);
  CHECK(client->Delete(path)->status == 202);
  CHECK(client->Delete(path)->status == 404);
  CHECK(client->Get(path)->status == 404);
}

TEST_CASE("registry server: what was pushed is there after a restart, and named in index.json") {
  const os::TempDir dir(std::filesystem::temp_directory_path(), "lade-");
  const registry::ServerOptions options{.port = 0, .layout = dir.path()};
  const auto request = [&](const auto& fn) {
    const auto server = registry::Server::start(options, null_logger());
    httplib::Client client("127.0.0.1", server->port());
    fn(client);
  };
  const std::string manifest = test::RegistryServer::image_manifest("{}", "{}");
  request([&](httplib::Client& client) {
    client.Post("/v2/a/b/blobs/uploads/?digest=" + io::digest_of("{}").str(), "{}", octets);
    CHECK(client.Put("/v2/a/b/manifests/v1", manifest, pushed_manifest_type)->status == 201);
  });
  CHECK(os::read_file(dir.path() / "index.json", 10'000).find("\"a/b:v1\"") != std::string::npos);
  request([&](httplib::Client& client) { CHECK(client.Get("/v2/a/b/manifests/v1")->body == manifest); });
}

#include <doctest/doctest.h>

#include "spec/json.hpp"
#include "support/registry_server.hpp"
#include "support/streams.hpp"

using namespace lade;

namespace {

const std::string oci_manifest = "application/vnd.oci.image.manifest.v1+json";

httplib::Headers range(const std::string& value) {
  return {{"Range", value}};
}

std::string push_referrer(const test::RegistryServer& server, const std::string& subject,
                          const std::string& type) {
  const std::string manifest = test::RegistryServer::image_manifest(
      "{}", "layer",
      R"(,"artifactType":")" + type + R"(","annotations":{"k":"v"},"subject":{"mediaType":")" + oci_manifest +
          R"(","digest":")" + subject + R"(","size":10})");
  const std::string digest = io::digest_of(manifest).str();
  server.push_blob("a", "{}");
  server.push_blob("a", "layer");
  const auto response = server.client()->Put("/v2/a/manifests/" + digest, manifest, oci_manifest);
  CHECK(response->status == 201);
  CHECK(response->get_header_value("OCI-Subject") == subject);
  return digest;
}

spec::Json json_of(const httplib::Result& response) {
  return spec::parse_json(response->body, "response");
}

// Follows Link headers; the pages, each as JSON text of `member`.
std::vector<std::string> pages(httplib::Client& client, std::string path, const std::string& member) {
  std::vector<std::string> all;
  while (!path.empty() && all.size() < 20) {
    const auto response = client.Get(path);
    REQUIRE(response->status == 200);
    all.push_back(json_of(response)[member].dump());
    const std::string link = response->get_header_value("Link");
    path = link.empty() ? "" : link.substr(1, link.find('>') - 1);
  }
  return all;
}

}  // namespace

TEST_CASE("registry server: the base end point says which protocol it speaks") {
  test::RegistryServer server;
  const auto client = server.client();
  for (const char* path : {"/v2/", "/v2"}) {
    const auto response = client->Get(path);
    CHECK(response->status == 200);
    CHECK(response->get_header_value("Docker-Distribution-API-Version") == "registry/2.0");
  }
  CHECK(client->Get("/")->status == 404);
  CHECK(client->Get("/v1/search")->status == 404);
}

TEST_CASE("registry server: HEAD gives the length of a blob and of a manifest, and no body") {
  test::RegistryServer server;
  const auto client = server.client();
  const std::string digest = server.push_image("a", "v1", "layer");
  const auto blob = client->Head("/v2/a/blobs/" + io::digest_of("layer").str());
  CHECK(blob->status == 200);
  CHECK(blob->get_header_value("Content-Length") == "5");
  const auto manifest = client->Head("/v2/a/manifests/v1");
  const auto body = client->Get("/v2/a/manifests/v1")->body;
  CHECK(manifest->get_header_value("Content-Length") == std::to_string(body.size()));
  CHECK(manifest->get_header_value("Docker-Content-Digest") == digest);
  CHECK(manifest->body.empty());
}

TEST_CASE("registry server: a large blob comes back whole") {
  test::RegistryServer server;
  const std::string text = test::random_bytes(9'000'001);
  const std::string digest = server.push_blob("a", text);
  const auto response = server.client()->Get("/v2/a/blobs/" + digest);
  CHECK(response->get_header_value("Content-Length") == "9000001");
  CHECK((response->body == text));
}

TEST_CASE("registry server: ranges of a blob are sent with 206") {
  test::RegistryServer server;
  const auto client = server.client();
  const std::string path = "/v2/a/blobs/" + server.push_blob("a", "0123456789");
  struct Row {
    std::string range, body, content_range;
  };
  for (const auto& row : std::vector<Row>{{"bytes=0-0", "0", "bytes 0-0/10"},
                                          {"bytes=3-5", "345", "bytes 3-5/10"},
                                          {"bytes=7-", "789", "bytes 7-9/10"},
                                          {"bytes=8-100", "89", "bytes 8-9/10"},
                                          {"bytes=-3", "789", "bytes 7-9/10"},
                                          {"bytes=-99", "0123456789", "bytes 0-9/10"}}) {
    CAPTURE(row.range);
    const auto response = client->Get(path, range(row.range));
    CHECK(response->status == 206);
    CHECK(response->body == row.body);
    CHECK(response->get_header_value("Content-Range") == row.content_range);
    CHECK(response->get_header_value("Content-Length") == std::to_string(row.body.size()));
  }
}

TEST_CASE("registry server: a range outside of a blob is refused with 416 and its size") {
  test::RegistryServer server;
  const auto client = server.client();
  const std::string path = "/v2/a/blobs/" + server.push_blob("a", "0123456789");
  for (const char* value : {"bytes=10-", "bytes=10-20", "bytes=-0", "bytes=18446744073709551615-"}) {
    CAPTURE(value);
    const auto response = client->Get(path, range(value));
    CHECK(response->status == 416);
    CHECK(response->get_header_value("Content-Range") == "bytes */10");
  }
  const std::string empty = "/v2/a/blobs/" + server.push_blob("a", "");
  CHECK(client->Get(empty, range("bytes=0-"))->status == 416);
}

TEST_CASE("registry server: malformed, foreign and multiple ranges give the whole blob") {
  test::RegistryServer server;
  const auto client = server.client();
  const std::string path = "/v2/a/blobs/" + server.push_blob("a", "0123456789");
  for (const char* value : {"", "bytes", "bytes=", "bytes=-", "bytes=5-3", "bytes=x-y", "lines=0-1",
                            "bytes=0-1,4-5", "bytes=99999999999999999999-", "0-3"}) {
    CAPTURE(value);
    const auto response = client->Get(path, range(value));
    CHECK(response->status == 200);
    CHECK(response->body == "0123456789");
  }
}

TEST_CASE("registry server: a range of a manifest is ignored") {
  test::RegistryServer server;
  const std::string digest = server.push_image("a", "v1", "layer");
  const auto response = server.client()->Get("/v2/a/manifests/v1", range("bytes=0-3"));
  CHECK(response->status == 200);
  CHECK(io::digest_of(response->body).str() == digest);
}

TEST_CASE("registry server: errors are documents of the specification") {
  test::RegistryServer server;
  const auto client = server.client();
  const std::string absent = io::digest_of("absent").str();
  server.push_image("a", "v1", "layer");
  struct Row {
    std::string path;
    int status;
    std::string code;
  };
  for (const auto& row : std::vector<Row>{{"/v2/a/manifests/v2", 404, "MANIFEST_UNKNOWN"},
                                          {"/v2/none/manifests/v1", 404, "MANIFEST_UNKNOWN"},
                                          {"/v2/a/manifests/" + absent, 404, "MANIFEST_UNKNOWN"},
                                          {"/v2/a/manifests/sha256:1", 400, "DIGEST_INVALID"},
                                          {"/v2/a/manifests/.tag", 400, "TAG_INVALID"},
                                          {"/v2/a/blobs/" + absent, 404, "BLOB_UNKNOWN"},
                                          {"/v2/a/blobs/sha256:1", 400, "DIGEST_INVALID"},
                                          {"/v2/a/blobs/uploads/none", 404, "BLOB_UPLOAD_UNKNOWN"},
                                          {"/v2/none/tags/list", 404, "NAME_UNKNOWN"},
                                          {"/v2/UPPER/tags/list", 400, "NAME_INVALID"},
                                          {"/v2//tags/list", 400, "NAME_INVALID"},
                                          {"/v2/a/../b/tags/list", 400, "NAME_INVALID"},
                                          {"/v2/a/tags/list?n=x", 400, "PAGINATION_NUMBER_INVALID"}}) {
    CAPTURE(row.path);
    const auto response = client->Get(row.path);
    CHECK(response->status == row.status);
    CHECK(response->get_header_value("Content-Type") == "application/json");
    CHECK(json_of(response)["errors"][0]["code"] == row.code);
  }
}

TEST_CASE("registry server: methods that make no sense are refused with 405") {
  test::RegistryServer server;
  const auto client = server.client();
  CHECK(client->Delete("/v2/")->status == 405);
  CHECK(client->Post("/v2/a/manifests/v1")->status == 405);
  CHECK(client->Put("/v2/a/tags/list")->status == 405);
  CHECK(client->Get("/v2/a/blobs/uploads/")->status == 405);
  CHECK(client->Options("/v2/")->status >= 400);
}

TEST_CASE("registry server: tags are listed in order") {
  test::RegistryServer server;
  for (const char* tag : {"v10", "v2", "latest", "V1"}) server.push_image("a/b", tag, "layer");
  const auto response = server.client()->Get("/v2/a/b/tags/list");
  CHECK(response->body == R"({"name":"a/b","tags":["V1","latest","v10","v2"]})");
  CHECK(!response->has_header("Link"));
}

TEST_CASE("registry server: tags are listed in pages linked to each other") {
  test::RegistryServer server;
  const auto client = server.client();
  for (const char* tag : {"a", "b", "c", "d", "e"}) server.push_image("r", tag, "layer");
  const auto list = [&](const std::string& query) {
    return pages(*client, "/v2/r/tags/list" + query, "tags");
  };
  CHECK(list("?n=2") == std::vector<std::string>{R"(["a","b"])", R"(["c","d"])", R"(["e"])"});
  CHECK(list("?n=5").size() == 1);
  CHECK(list("?n=0") == std::vector<std::string>{"[]"});
  CHECK(list("?n=9&last=c") == std::vector<std::string>{R"(["d","e"])"});
  CHECK(list("?last=bb") == std::vector<std::string>{R"(["c","d","e"])"});
  CHECK(list("?last=e") == std::vector<std::string>{"[]"});
}

TEST_CASE("registry server: repositories are listed, in pages, too") {
  test::RegistryServer server;
  const auto client = server.client();
  CHECK(client->Get("/v2/_catalog")->body == R"({"repositories":[]})");
  for (const char* name : {"b", "a/x", "a"}) server.push_image(name, "v1", "layer");
  CHECK(client->Get("/v2/_catalog")->body == R"({"repositories":["a","a/x","b"]})");
  CHECK(pages(*client, "/v2/_catalog?n=2", "repositories") ==
        std::vector<std::string>{R"(["a","a/x"])", R"(["b"])"});
}

TEST_CASE("registry server: referrers of a manifest are listed with type and annotations") {
  test::RegistryServer server;
  const auto client = server.client();
  const std::string subject = server.push_image("a", "v1", "layer");
  const std::string referrer = push_referrer(server, subject, "application/x.sbom");
  const auto response = client->Get("/v2/a/referrers/" + subject);
  CHECK(response->get_header_value("Content-Type") == "application/vnd.oci.image.index.v1+json");
  const auto document = json_of(response);
  CHECK(document["manifests"].size() == 1);
  CHECK(document["manifests"][0]["digest"] == referrer);
  CHECK(document["manifests"][0]["artifactType"] == "application/x.sbom");
  CHECK(document["manifests"][0]["annotations"]["k"] == "v");
}

TEST_CASE("registry server: referrers are filtered by artifact type") {
  test::RegistryServer server;
  const auto client = server.client();
  const std::string subject = server.push_image("a", "v1", "layer");
  push_referrer(server, subject, "application/x.sbom");
  const std::string signature = push_referrer(server, subject, "application/x.signature+json");
  CHECK(json_of(client->Get("/v2/a/referrers/" + subject))["manifests"].size() == 2);
  const auto response =
      client->Get("/v2/a/referrers/" + subject + "?artifactType=application/x.signature%2Bjson");
  CHECK(response->get_header_value("OCI-Filters-Applied") == "artifactType");
  CHECK(json_of(response)["manifests"].size() == 1);
  CHECK(json_of(response)["manifests"][0]["digest"] == signature);
}

TEST_CASE("registry server: a manifest without referrers has an empty list of them") {
  test::RegistryServer server;
  const auto response = server.client()->Get("/v2/a/referrers/" + io::digest_of("x").str());
  CHECK(response->status == 200);
  CHECK(json_of(response)["manifests"].empty());
}

TEST_CASE("registry server: a subject may come after its referrers") {
  test::RegistryServer server;
  const std::string subject = io::digest_of("not there yet").str();
  push_referrer(server, subject, "application/x");
  CHECK(json_of(server.client()->Get("/v2/a/referrers/" + subject))["manifests"].size() == 1);
}

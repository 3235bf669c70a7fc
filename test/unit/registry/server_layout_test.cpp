// Layouts as repositories: what names mean, and changes by others.
#include <doctest/doctest.h>

#include "base/error.hpp"
#include "registry/server/layout_index.hpp"
#include "registry/server/route.hpp"
#include "support/registry_server.hpp"

using namespace lade;
using registry::server::default_repository;
using registry::server::is_valid_repository;
using registry::server::LayoutIndex;
using registry::server::parse_route;
using registry::server::Route;
using registry::server::Target;

namespace {

spec::Descriptor manifest(const std::string& text) {
  return {"application/vnd.oci.image.manifest.v1+json", io::digest_of(text), text.size(), {}, {}, {}, {}, {}};
}

std::string layout_entry(const std::string& text, const std::string& annotations) {
  return R"({"mediaType":"m","digest":")" + io::digest_of(text).str() + R"(","size":1,"annotations":{)" +
         annotations + "}}";
}

std::string name(const std::string& value) {
  return R"("org.opencontainers.image.ref.name":")" + value + "\"";
}

// "repository:tag" or "repository@" of each entry.
std::vector<std::string> names(const LayoutIndex& index) {
  std::vector<std::string> all;
  for (const auto& one : index.entries()) {
    all.push_back(one.tag ? one.repository + ":" + *one.tag : one.repository + "@");
  }
  return all;
}

std::vector<std::string> names(const std::string& entries) {
  return names(LayoutIndex(R"({"schemaVersion":2,"manifests":[)" + entries + "]}", "folder"));
}

using Names = std::vector<std::string>;

}  // namespace

TEST_CASE("layout index: names with a repository and a tag are both") {
  CHECK(names(layout_entry("x", name("a/b:v1"))) == Names{"a/b:v1"});
  CHECK(names(layout_entry("x", name("docker.io/library/a:v1"))) == Names{"docker.io/library/a:v1"});
}

TEST_CASE("layout index: a name without a repository is a tag of the folder's") {
  CHECK(names(layout_entry("x", name("v1")) + "," + layout_entry("y", name("latest"))) ==
        Names{"folder:v1", "folder:latest"});
}

TEST_CASE("layout index: a single nameless manifest is latest, unless there is one") {
  CHECK(names(layout_entry("x", "")) == Names{"folder:latest"});
  CHECK(names(layout_entry("x", "") + "," + layout_entry("y", "")) == Names{"folder@", "folder@"});
  CHECK(names(layout_entry("x", "") + "," + layout_entry("y", name("latest"))) ==
        Names{"folder@", "folder:latest"});
  CHECK(names(layout_entry("x", "") + "," + layout_entry("y", name("v1"))) ==
        Names{"folder:latest", "folder:v1"});
}

TEST_CASE("layout index: names that cannot be tags are manifests without one") {
  CHECK(names(layout_entry("x", name("localhost:5000/a:v1")) + "," + layout_entry("y", name("UP:v1"))) ==
        Names{"folder@", "folder@"});
}

TEST_CASE("layout index: manifests pushed by digest name their repository") {
  CHECK(names(layout_entry("x", R"("io.lade.registry.repository":"a/b")")) == Names{"a/b@"});
}

TEST_CASE("layout index: entries that are no descriptors are left out") {
  CHECK(names(R"(1,{},{"digest":"sha256:1"},)" + layout_entry("x", name("v1"))) == Names{"folder:v1"});
}

TEST_CASE("layout index: documents that are no indexes are refused") {
  for (const char* text : {"", "[]", "1", R"({"manifests":{}})", R"({"manifests":[)"}) {
    CHECK_THROWS_AS(LayoutIndex(text, "folder"), Error);
  }
}

TEST_CASE("layout index: a tag is set once, and moved when set again") {
  LayoutIndex index("folder");
  index.set_tag("a", "v1", manifest("x"));
  index.set_tag("a", "v1", manifest("x"));
  CHECK(names(index) == Names{"a:v1"});
  index.set_tag("a", "v1", manifest("y"));
  CHECK(names(index) == Names{"a@", "a:v1"});
  index.set_tag("a", "v1", manifest("x"));
  CHECK(names(index) == Names{"a:v1", "a@"});
}

TEST_CASE("layout index: a tag may be set on an entry with a plain name") {
  LayoutIndex index(R"({"manifests":[)" + layout_entry("x", name("v1")) + "]}", "folder");
  index.set_tag("folder", "v1", manifest("y"));
  CHECK(names(index) == Names{"folder@", "folder:v1"});
}

TEST_CASE("layout index: a manifest without a tag is added once, and not where it has a tag") {
  LayoutIndex index("folder");
  index.add("a", manifest("x"));
  index.add("a", manifest("x"));
  index.add("b", manifest("x"));
  CHECK(names(index) == Names{"a@", "b@"});
  index.set_tag("a", "v1", manifest("x"));
  index.add("a", manifest("x"));
  CHECK(names(index) == Names{"a:v1", "b@"});
}

TEST_CASE("layout index: one of two tags is removed alone, the last one leaves the manifest") {
  LayoutIndex index("folder");
  index.set_tag("a", "v1", manifest("x"));
  index.set_tag("a", "v2", manifest("x"));
  CHECK(index.remove_tag("a", "v1"));
  CHECK(names(index) == Names{"a:v2"});
  CHECK(index.remove_tag("a", "v2"));
  CHECK(names(index) == Names{"a@"});
  CHECK(!index.remove_tag("a", "v2"));
}

TEST_CASE("layout index: a manifest is removed from its repository only") {
  LayoutIndex index("folder");
  for (const char* repository : {"a", "b"}) {
    index.set_tag(repository, "v1", manifest("x"));
    index.set_tag(repository, "v2", manifest("x"));
  }
  CHECK(index.remove_manifest("a", io::digest_of("x")));
  CHECK(!index.remove_manifest("a", io::digest_of("x")));
  CHECK(names(index) == Names{"b:v1", "b:v2"});
}

TEST_CASE("layout index: what it does not know survives a change") {
  LayoutIndex index(R"({"extra":1,"manifests":[{"digest":")" + io::digest_of("x").str() +
                        R"(","size":1,"more":[2],"annotations":{"k":"v"}}]})",
                    "folder");
  index.set_tag("folder", "v1", manifest("x"));
  const std::string text = index.dump();
  CHECK(text.find("\"extra\":1") != text.npos);
  CHECK(text.find("\"more\":[2]") != text.npos);
  CHECK(text.find("\"k\":\"v\"") != text.npos);
}

TEST_CASE("the default repository is named after the folder") {
  CHECK(default_repository("store") == "store");
  CHECK(default_repository("My Images") == "my-images");
  CHECK(default_repository("-x_.") == "x");
  CHECK(default_repository("a..b") == "image");
  CHECK(default_repository("...") == "image");
  CHECK(default_repository("") == "image");
}

TEST_CASE("names of repositories follow the grammar of the specification") {
  for (const char* good : {"a", "a/b", "a.b", "a_b", "a__b", "a-b", "a---b", "0", "a1/b2/c3"}) {
    CHECK(is_valid_repository(good));
  }
  for (const char* bad : {"", "/", "a/", "/a", "a//b", "A", "a..b", "a___b", "a._b", ".a", "a-", "a b", "..",
                          "a/../b", "a\n"}) {
    CAPTURE(bad);
    CHECK(!is_valid_repository(bad));
  }
  CHECK(is_valid_repository(std::string(255, 'a')));
  CHECK(!is_valid_repository(std::string(256, 'a')));
}

TEST_CASE("routes are told by the end of the path") {
  const auto check = [](const char* path, Route::Resource resource, const char* repository) {
    CAPTURE(path);
    const auto route = parse_route(path);
    REQUIRE(route);
    CHECK(route->resource == resource);
    CHECK(route->repository == repository);
  };
  using enum Route::Resource;
  check("/v2/", base, "");
  check("/v2/_catalog", catalog, "");
  check("/v2/a/tags/list", tags, "a");
  check("/v2/tags/list/tags/list", tags, "tags/list");
  check("/v2/manifests/manifests/manifests", manifest, "manifests");
  check("/v2/blobs/uploads/blobs/uploads/", uploads, "blobs/uploads");
  check("/v2/a/blobs/uploads", uploads, "a");
  check("/v2/a/blobs/uploads/x", upload, "a");
  check("/v2/a/blobs/x", blob, "a");
  check("/v2/a/referrers/x", referrers, "a");
  for (const char* path : {"", "/", "/v2x", "/v1/a/tags/list", "/v2/a", "/v2/a/tags", "/v2/a/x/y"}) {
    CHECK(!parse_route(path));
  }
}

TEST_CASE("queries are decoded") {
  const auto target = Target::parse("/v2/a?n=5&last=a%2Fb+c&empty&=x&n=6");
  REQUIRE(target);
  CHECK(target->parameter("n") == "5");
  CHECK(target->parameter("last") == "a/b c");
  CHECK(target->parameter("empty").empty());
  CHECK(target->query.contains("empty"));
  CHECK(!target->query.contains("none"));
  CHECK(!Target::parse("/v2/%zz"));
  CHECK(!Target::parse("/v2/?a=%"));
}

namespace {

// A layout with one image under the name "latest", made by nobody's registry.
std::filesystem::path write_layout(const std::filesystem::path& folder, const std::string& annotations) {
  const std::string config = "{}", layer = "layer";
  const std::string text = test::RegistryServer::image_manifest(config, layer);
  os::mkdir_all(folder / "blobs" / "sha256");
  os::write_file(folder / "oci-layout", R"({"imageLayoutVersion":"1.0.0"})");
  for (const std::string& blob : {config, layer, text}) {
    os::write_file(folder / "blobs" / "sha256" / io::digest_of(blob).hex(), blob);
  }
  os::write_file(
      folder / "index.json",
      R"({"schemaVersion":2,"manifests":[{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":")" +
          io::digest_of(text).str() + R"(","size":)" + std::to_string(text.size()) + R"(,"annotations":{)" +
          annotations + "}}]}");
  return folder;
}

int status_of(registry::Server& server, const std::string& path) {
  httplib::Client client("127.0.0.1", server.port());
  return client.Get(path)->status;
}

}  // namespace

TEST_CASE("registry server: a plain layout is served under the name of its folder") {
  const os::TempDir dir(std::filesystem::temp_directory_path(), "lade-");
  const auto folder = write_layout(dir.path() / "busybox", name("1.36"));
  const auto server = registry::Server::start({.port = 0, .layout = folder}, null_logger());
  CHECK(status_of(*server, "/v2/busybox/manifests/1.36") == 200);
  CHECK(status_of(*server, "/v2/busybox/blobs/" + io::digest_of("layer").str()) == 200);
}

TEST_CASE("registry server: the folder's name counts when it is given with a slash or as a dot") {
  const os::TempDir dir(std::filesystem::temp_directory_path(), "lade-");
  const auto folder = write_layout(dir.path() / "busybox", "");
  for (const char* end : {"", "/", "/.", "/../busybox"}) {
    const registry::ServerOptions options{.port = 0, .layout = folder.string() + end, .readonly = true};
    CHECK(status_of(*registry::Server::start(options, null_logger()), "/v2/busybox/manifests/latest") == 200);
  }
}

TEST_CASE("registry server: the manifests of an index in a layout are there by digest") {
  const os::TempDir dir(std::filesystem::temp_directory_path(), "lade-");
  const auto folder = write_layout(dir.path() / "x", name("v1"));
  const std::string text = test::RegistryServer::image_manifest("{}", "layer");
  const std::string index =
      R"({"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[)" +
      test::RegistryServer::descriptor("application/vnd.oci.image.manifest.v1+json", text) + "]}";
  os::write_file(folder / "blobs" / "sha256" / io::digest_of(index).hex(), index);
  os::write_file(folder / "index.json",
                 R"({"schemaVersion":2,"manifests":[)" +
                     test::RegistryServer::descriptor("application/vnd.oci.image.index.v1+json", index) +
                     "]}");
  const auto server = registry::Server::start({.port = 0, .layout = folder}, null_logger());
  CHECK(status_of(*server, "/v2/x/manifests/latest") == 200);
  CHECK(status_of(*server, "/v2/x/manifests/" + io::digest_of(text).str()) == 200);
}

TEST_CASE("registry server: what others do to the layout is seen") {
  test::RegistryServer server;
  const auto client = server.client();
  CHECK(client->Get("/v2/store/manifests/v1")->status == 404);
  write_layout(server.layout(), name("v1"));
  CHECK(client->Get("/v2/store/manifests/v1")->status == 200);
  server.push_image("a", "v2", "other");
  CHECK(client->Get("/v2/store/manifests/v1")->status == 200);
}

TEST_CASE("registry server: an index.json that is broken is an error, and not lost") {
  test::RegistryServer server;
  os::write_file(server.layout() / "index.json", "{broken");
  CHECK(server.client()->Get("/v2/_catalog")->status == 500);
  server.push_image("a", "v1", "layer");
  CHECK(os::read_file(server.layout() / "index.json", 100) == "{broken");
}

TEST_CASE("registry server: a manifest whose file is gone is unknown, and the others are served") {
  test::RegistryServer server;
  const auto client = server.client();
  const std::string first = server.push_image("a", "v1", "first");
  server.push_image("a", "v2", "second");
  std::filesystem::remove(server.layout() / "blobs" / "sha256" / first.substr(7));
  CHECK(client->Get("/v2/a/manifests/v1")->status == 404);
  CHECK(client->Get("/v2/a/manifests/v2")->status == 200);
}

TEST_CASE("registry server: uploads that a killed server left are removed when they are old") {
  const os::TempDir dir(std::filesystem::temp_directory_path(), "lade-");
  const auto old = dir.path() / ".upload-old", young = dir.path() / ".upload-young";
  for (const auto& path : {old, young}) os::write_file(path, "x");
  std::filesystem::last_write_time(old,
                                   std::filesystem::file_time_type::clock::now() - std::chrono::hours(25));
  registry::Server::start({.port = 0, .layout = dir.path()}, null_logger());
  CHECK(!std::filesystem::exists(old));
  CHECK(std::filesystem::exists(young));
}

TEST_CASE("registry server: a folder that is something else is refused") {
  const os::TempDir dir(std::filesystem::temp_directory_path(), "lade-");
  os::write_file(dir.path() / "file", "x");
  CHECK_THROWS_AS(registry::Server::start({.port = 0, .layout = dir.path() / "file"}, null_logger()), Error);
}

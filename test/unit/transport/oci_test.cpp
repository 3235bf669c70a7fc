#include <doctest/doctest.h>

#include <thread>

#include "fixture.hpp"
#include "io/digester.hpp"
#include "spec/json.hpp"
#include "transport/oci/layout_name.hpp"

using namespace lade;
using namespace lade::test;
using transport::parse_image_name;

namespace {

struct Layout {
  test::Directory directory;
  std::string name(const std::string& image) const { return "oci:" + directory.str() + ":" + image; }
  spec::Json index() const { return spec::parse_json(directory.read("index.json"), "index.json"); }
  std::size_t blob_count() const {
    std::size_t count = 0;
    for (const auto& [name, content] : directory.snapshot()) count += name.starts_with("blobs/sha256/");
    return count;
  }
};

std::string entry(const TestImage& image, const std::string& name) {
  std::string text = R"({"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":")" +
                     image.manifest.digest.str() + R"(","size":)" +
                     std::to_string(image.manifest.bytes.size());
  if (!name.empty()) text += R"(,"annotations":{"org.opencontainers.image.ref.name":")" + name + "\"}";
  return text + "}";
}

std::string index_of(const std::string& entries) {
  return R"({"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[)" +
         entries + "]}";
}

TestImage with_subject(const TestImage& subject) {
  auto image = make_image(named("signature"));
  auto document = spec::parse_json(image.manifest.bytes, "manifest");
  document["artifactType"] = "application/vnd.example.signature";
  document["subject"] = {{"mediaType", subject.manifest.media_type},
                         {"digest", subject.manifest.digest.str()},
                         {"size", subject.manifest.bytes.size()}};
  image.manifest = make_raw(spec::dump_json(document), image.manifest.media_type);
  return image;
}

}  // namespace

TEST_CASE("oci: a layout is byte for byte what skopeo writes") {
  const Layout layout;
  const auto image = make_image();
  write_image(layout.name("name"), image);
  CHECK(layout.directory.read("oci-layout") == R"({"imageLayoutVersion":"1.0.0"})");
  CHECK(layout.directory.read("index.json") == index_of(entry(image, "name")));
  CHECK(layout.directory.read("blobs/sha256/" + image.manifest.digest.hex()) == image.manifest.bytes);
  CHECK(layout.blob_count() == 1 + 1 + image.layers.size());
}

TEST_CASE("oci: a name moves to the new image, and the old one stays without a name") {
  const Layout layout;
  const auto first = make_image(named("first"));
  const auto second = make_image(named("second"));
  write_image(layout.name("name"), first);
  write_image(layout.name("name"), second);
  CHECK(layout.directory.read("index.json") == index_of(entry(first, "") + "," + entry(second, "name")));
  write_image(layout.name("name"), second);
  CHECK(layout.directory.read("index.json") == index_of(entry(first, "") + "," + entry(second, "name")));
}

TEST_CASE("oci: an image without a name is listed once, and gains one in place") {
  const Layout layout;
  const auto image = make_image();
  write_image(layout.name(""), image);
  write_image(layout.name(""), image);
  CHECK(layout.directory.read("index.json") == index_of(entry(image, "")));
  write_image(layout.name("name"), image);
  CHECK(layout.directory.read("index.json") == index_of(entry(image, "name")));
}

TEST_CASE("oci: members of index.json that nobody knows survive") {
  const Layout layout;
  write_image(layout.name("a"), make_image(named("a")));
  auto document = layout.index();
  document["annotations"] = {{"key", "value"}};
  document["manifests"][0]["x-unknown"] = 1;
  layout.directory.write("index.json", spec::dump_json(document));
  write_image(layout.name("b"), make_image(named("b")));
  CHECK(layout.index()["annotations"]["key"] == "value");
  CHECK(layout.index()["manifests"][0]["x-unknown"] == 1);
}

TEST_CASE("oci: images are chosen by name, by position, or because there is only one") {
  const Layout layout;
  const auto first = make_image(named("first"));
  const auto second = make_image(named("second"));
  write_image(layout.name("first"), first);
  CHECK(top_manifest(layout.name("")).bytes == first.manifest.bytes);
  write_image(layout.name("second"), second);
  CHECK(top_manifest(layout.name("second")).bytes == second.manifest.bytes);
  CHECK(top_manifest(layout.name("@1")).bytes == second.manifest.bytes);
  CHECK(message_of([&] { top_manifest(layout.name("")); }) == "more than one image in oci, choose an image");
  CHECK(message_of([&] { top_manifest(layout.name("@2")); }) ==
        "index 2 is too large, only 2 entries available");
}

TEST_CASE("oci: a name that is not there is an image that is not found") {
  const Layout layout;
  write_image(layout.name("name"), make_image());
  const auto error = error_of([&] { top_manifest(layout.name("other")); });
  CHECK(error.kind() == Kind::image_not_found);
  CHECK(std::string(error.what()) == "no descriptor found for reference \"other\"");
}

TEST_CASE("oci: names are checked when they are parsed") {
  using transport::oci::parse_layout_name;
  for (const std::string name : {"a", "a.b", "a-b", "a--b", "a/b", "x:1", "example.com/a_b:tag@1+2"}) {
    CAPTURE(name);
    CHECK(parse_layout_name("path:" + name, true).image == name);
  }
  for (const std::string name : {"-a", "a-", "a..b", "a---b", "a/", "/a", "a//b", "a b", "a$"}) {
    CAPTURE(name);
    CHECK(message_of([&] { parse_layout_name("path:" + name, true); }) == "Invalid image " + name);
  }
  CHECK(message_of([] { parse_layout_name("p:@x", true); }) == "Invalid source index @x: not an integer");
  CHECK(message_of([] { parse_layout_name("p:@-1", true); }) ==
        "Invalid source index @-1: must not be negative");
  CHECK(message_of([] { parse_layout_name("p:@1", false); }) == "Invalid image @1");
}

TEST_CASE("oci: a position names no destination") {
  const Layout layout;
  CHECK(message_of([&] { write_image(layout.name("@0"), make_image()); }) ==
        "Destination reference must not contain a manifest index @0");
}

TEST_CASE("oci: a Docker manifest is refused, so that it is converted") {
  const Layout layout;
  CHECK(kind_of([&] { write_image(layout.name("name"), make_image(docker_options())); }) ==
        Kind::unsupported);
}

TEST_CASE("oci: blobs may live in a directory shared by many layouts") {
  const Layout layout;
  const test::Directory shared;
  transport::Options options;
  options.shared_blob_dir = shared.str();
  const auto image = make_image();
  write_image(layout.name("name"), image, options);
  CHECK(layout.blob_count() == 0);
  CHECK(layout.directory.has("blobs"));
  CHECK(shared.read("sha256/" + image.manifest.digest.hex()) == image.manifest.bytes);
  CHECK(top_manifest(layout.name("name"), options).bytes == image.manifest.bytes);
}

TEST_CASE("oci: many writers of one layout lose no name") {
  const Layout layout;
  {
    std::vector<std::jthread> writers;
    for (int i = 0; i < 8; ++i) {
      writers.emplace_back(
          [&layout, name = std::to_string(i)] { write_image(layout.name(name), make_image(named(name))); });
    }
  }
  CHECK(layout.index()["manifests"].size() == 8);
}

TEST_CASE("oci: a manifest that was changed on disk is an integrity error") {
  const Layout layout;
  const auto image = make_image();
  write_image(layout.name("name"), image);
  layout.directory.write("blobs/sha256/" + image.manifest.digest.hex(), image.manifest.bytes + " ");
  CHECK(kind_of([&] { top_manifest(layout.name("name")); }) == Kind::integrity);
}

TEST_CASE("oci: deleting an image removes what only it needs") {
  const Layout layout;
  const auto first = make_image(named("first"));
  const auto second = make_image(named("second"));
  write_image(layout.name("first"), first);
  const auto alone = layout.directory.snapshot();
  write_image(layout.name("second"), second);
  parse_image_name(layout.name("second"))->remove(background(), {});
  auto left = layout.directory.snapshot();
  CHECK(left["index.json"] == index_of(entry(first, "first")) + "\n");
  left["index.json"] = alone.at("index.json");
  CHECK(left == alone);
}

TEST_CASE("oci: deleting one of two names of an image removes no blob") {
  const Layout layout;
  const auto image = make_image();
  write_image(layout.name("a"), image);
  const auto count = layout.blob_count();
  write_image(layout.name("b"), image);
  parse_image_name(layout.name("a"))->remove(background(), {});
  CHECK(layout.blob_count() == count);
  CHECK(top_manifest(layout.name("b")).bytes == image.manifest.bytes);
  parse_image_name(layout.name("b"))->remove(background(), {});
  CHECK(layout.blob_count() == 0);
}

TEST_CASE("oci: deleting a name that is not there says so and removes nothing") {
  const Layout layout;
  write_image(layout.name("a"), make_image());
  const auto before = layout.directory.snapshot();
  CHECK(kind_of([&] { parse_image_name(layout.name("b"))->remove(background(), {}); }) ==
        Kind::image_not_found);
  CHECK(layout.directory.snapshot() == before);
}

TEST_CASE("oci: a blob that is removed while an image is written fails the commit") {
  const Layout layout;
  write_image(layout.name("old"), make_image());
  const auto destination = parse_image_name(layout.name("new"))->open_destination(background(), {});
  const auto image = make_image();
  REQUIRE(destination->find_blob(background(), image.layers[0].descriptor.digest).has_value());
  parse_image_name(layout.name("old"))->remove(background(), {});
  destination->put_manifest(background(), image.manifest, std::nullopt);
  CHECK(kind_of([&] { destination->commit(background()); }) == Kind::unavailable);
}

TEST_CASE("oci: what refers to an image is kept in index.json and found again") {
  const Layout layout;
  const auto image = make_image();
  const auto signature = with_subject(image);
  const auto destination = parse_image_name(layout.name("name"))->open_destination(background(), {});
  put_blobs(*destination, image);
  put_blobs(*destination, signature);
  destination->put_manifest(background(), signature.manifest, signature.manifest.digest);
  destination->put_manifest(background(), image.manifest, std::nullopt);
  destination->commit(background());
  const auto source = open_source(layout.name(""));
  CHECK(source->manifest(background(), std::nullopt).bytes == image.manifest.bytes);
  const auto referrers = source->referrer_lister()->referrers(background(), image.manifest.digest);
  REQUIRE(referrers.size() == 1);
  CHECK(referrers[0].descriptor.digest == signature.manifest.digest);
  CHECK(referrers[0].descriptor.artifact_type == "application/vnd.example.signature");
}

TEST_CASE("oci: cosign's names are referrers with a tag, and siblings write them") {
  const Layout layout;
  const auto image = make_image();
  write_image(layout.name("name"), image);
  const std::string tag = "sha256-" + image.manifest.digest.hex() + ".sig";
  const auto destination = parse_image_name(layout.name("name"))->open_destination(background(), {});
  const auto sibling = destination->sibling(background(), tag);
  const auto signature = make_image(named("signature"));
  put_blobs(*sibling, signature);
  sibling->put_manifest(background(), signature.manifest, std::nullopt);
  sibling->commit(background());
  const auto referrers =
      open_source(layout.name("name"))->referrer_lister()->referrers(background(), image.manifest.digest);
  REQUIRE(referrers.size() == 1);
  CHECK(referrers[0].tag == tag);
}

TEST_CASE("oci: an index.json that is none is an error before anything is written") {
  for (const auto* text : {"", "[]", "{\"manifests\":{}}", "{\"manifests\":[{\"digest\":\"x\"}]}"}) {
    CAPTURE(text);
    const Layout layout;
    layout.directory.write("index.json", text);
    const auto before = layout.directory.snapshot();
    CHECK_THROWS_AS(write_image(layout.name("name"), make_image()), Error);
    CHECK_THROWS_AS(open_source(layout.name("name")), Error);
    CHECK(layout.directory.snapshot() == before);
  }
}

TEST_CASE("oci: a layout that is made for nothing goes away, unless there are blobs in it") {
  const test::Directory directory;
  const auto reference = parse_image_name("oci:" + (directory / "new").string() + ":name");
  reference->open_destination(background(), {});
  CHECK(directory.snapshot().empty());
  const auto image = make_image();
  put_blobs(*reference->open_destination(background(), {}), image);
  CHECK(directory.has("new/blobs/sha256/" + image.config.descriptor.digest.hex()));
  CHECK_FALSE(directory.has("new/index.json"));
}

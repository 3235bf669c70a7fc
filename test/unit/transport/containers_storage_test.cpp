#include <doctest/doctest.h>

#include "config/blob_info_cache.hpp"
#include "fixture.hpp"
#include "io/digester.hpp"
#include "store/store.hpp"
#include "transport/containers_storage/containers_storage.hpp"
#include "transport/containers_storage/name.hpp"

using namespace lade;
using namespace lade::test;
using transport::parse_image_name;
using transport::containers_storage::Name;

namespace {

struct LocalStore {
  test::Directory directory;

  std::string name(const std::string& image) const {
    return "containers-storage:[vfs@" + (directory / "root").string() + "+" + (directory / "run").string() +
           ":ignore_chown_errors=true]" + image;
  }
  std::unique_ptr<transport::ImageSource> source(const std::string& image) const {
    return parse_image_name(name(image))->open_source(background(), {});
  }
  std::unique_ptr<transport::ImageDestination> destination(const std::string& image) const {
    return parse_image_name(name(image))->open_destination(background(), {});
  }
  std::shared_ptr<store::Store> open() const {
    return store::Store::open(background(), store_options(Name::parse(name("x").substr(19)), {}));
  }
};

void write(transport::ImageDestination& destination, const TestImage& image) {
  put_blobs(destination, image);
  destination.put_manifest(background(), image.manifest, std::nullopt);
  destination.commit(background());
}

spec::Digest top_digest(const LocalStore& local, const std::string& image) {
  return local.source(image)->manifest(background(), std::nullopt).digest;
}

}  // namespace

TEST_CASE("containers-storage: names are parsed as containers/image does") {
  const std::string id(64, 'a'), digest = "sha256:" + id;
  const auto tagged = Name::parse("busybox");
  CHECK(tagged.reference->str() == "docker.io/library/busybox:latest");
  CHECK_FALSE(tagged.place.has_value());
  CHECK(Name::parse("example.com/a:1@" + digest).reference->digest()->str() == digest);
  CHECK(Name::parse("@" + id).id == id);
  CHECK_FALSE(Name::parse("@" + id).reference.has_value());
  CHECK(Name::parse(id).id == id);
  const auto both = Name::parse("example.com/a:1@" + digest + "@" + id);
  CHECK(both.id == id);
  CHECK(both.reference->digest().has_value());
  CHECK(Name::parse("abc").id_or_name == "abc");
  CHECK(Name::parse("ab").id_or_name == "");
  CHECK(Name::parse("[overlay@/a/root+/a/run:x.y=1,z=2]a").place->driver == "overlay");
  const auto place = *Name::parse("[/a/root]a").place;
  CHECK(place.graph_root == "/a/root");
  CHECK(place.run_root == "");
  CHECK_FALSE(place.driver_options.has_value());
}

TEST_CASE("containers-storage: names print as they parse") {
  const std::string id(64, 'a');
  for (const std::string text :
       {"[overlay@/a/root+/a/run:x.y=1,z=2]example.com/a:1", "[/a]docker.io/library/b:latest",
        "example.com/a:1", "abcdef", "[vfs@/a]@abc"})
    CHECK(Name::parse(text).str() == text);
  CHECK(Name::parse(id).str() == "@" + id);
}

TEST_CASE("containers-storage: malformed names are refused") {
  const auto message = [](const std::string& text) { return message_of([&] { Name::parse(text); }); };
  CHECK(message("[vfs@relative]a") == "path name is not absolute");
  CHECK(message("[/a+relative]a") == "path name is not absolute");
  CHECK(message("[/a").find("closing bracket missing") != std::string::npos);
  CHECK(message("").find("empty") != std::string::npos);
  CHECK(message("[/a]").find("empty") != std::string::npos);
  CHECK(message("a@").find("empty trailing digest or ID") != std::string::npos);
  CHECK(message("a@xyz").find("does not look like an image ID or digest") != std::string::npos);
  CHECK(message("UPPER").find("must be lowercase") != std::string::npos);
  CHECK(message("[@/a]x").find("must not be empty") != std::string::npos);
}

TEST_CASE("containers-storage: an image is found by name, by digest, by ID and by the beginning of one") {
  const LocalStore local;
  const auto image = make_image();
  write(*local.destination("example.com/app:1"), image);
  const auto id = image.config.descriptor.digest.hex();
  for (const std::string& name :
       {std::string("example.com/app:1"), "@" + id, id, id.substr(0, 7), "@" + id.substr(0, 3),
        "example.com/app@" + image.manifest.digest.str(), "example.com/app:1@" + id})
    CHECK(top_digest(local, name) == image.manifest.digest);
  for (const char* name : {"example.com/app:2", "example.com/other:1", "ab"}) {
    const auto error = error_of([&] { local.source(name); });
    CHECK(error.kind() == Kind::image_not_found);
    CHECK(error.message().find("does not resolve to an image ID") != std::string::npos);
  }
  CHECK(kind_of([&] { local.source("example.com/other:1@" + id); }) == Kind::image_not_found);
}

TEST_CASE("containers-storage: reading from a store that is not there creates none") {
  const LocalStore local;
  CHECK(kind_of([&] { local.source("example.com/app:1"); }) == Kind::image_not_found);
  CHECK(local.directory.snapshot().empty());
}

TEST_CASE("containers-storage: compressed layers are given uncompressed, and recorded as they came") {
  for (const auto compression : {io::Compression::gzip, io::Compression::zstd}) {
    const LocalStore local;
    const auto image = make_image({.compression = compression});
    write(*local.destination("example.com/app:1"), image);
    const auto source = local.source("example.com/app:1");
    const auto manifest = spec::Manifest::parse(image.manifest.bytes, image.manifest.media_type);
    const auto stored = source->stored_layers(background(), manifest).value();
    REQUIRE(stored.size() == 2);
    for (std::size_t i = 0; i < stored.size(); ++i) {
      CHECK(stored[i].digest == image.diff_ids[i].digest);
      CHECK(stored[i].media_type == spec::media_type::oci_layer_tar);
      const auto blob = source->blob(background(), stored[i]);
      CHECK(blob.size == stored[i].size);
      CHECK(io::digest_of(read_text(*blob.reader)) == stored[i].digest);
      const auto kind = kind_of([&] { source->blob(background(), image.layers[i].descriptor); });
      CHECK(kind == Kind::not_found);
    }
    const auto record =
        local.open()->layers_with_digest(background(), image.layers[0].descriptor.digest).at(0);
    CHECK(store::compression_of(record) == compression);
    CHECK(record.compressed_size == static_cast<std::int64_t>(image.layers[0].descriptor.size));
  }
}

TEST_CASE("containers-storage: a plain layer is called so, whatever the manifest says") {
  const LocalStore local;
  const auto image = make_image();
  write(*local.destination("example.com/app:1"), image);
  auto manifest = spec::Manifest::parse(image.manifest.bytes, image.manifest.media_type);
  auto layers = manifest.layers();
  for (auto& layer : layers) layer.media_type = spec::media_type::oci_layer_gzip;
  const auto claiming = manifest.with_layers(layers);
  const auto stored = local.source("example.com/app:1")->stored_layers(background(), claiming).value();
  for (const auto& layer : stored) CHECK(layer.media_type == spec::media_type::oci_layer_tar);
}

TEST_CASE("containers-storage: the image has the records that other tools read") {
  const LocalStore local;
  const auto image = make_image();
  write(*local.destination("example.com/app:1"), image);
  const auto record = local.open()->find_image(background(), "example.com/app:1").value();
  const auto& config = image.config.descriptor.digest;
  CHECK(record.id == config.hex());
  CHECK(record.digest == image.manifest.digest.str());
  CHECK(record.created == "2024-01-02T03:04:05Z");
  CHECK(record.metadata == "{}");
  CHECK(record.big_data.names ==
        std::vector{config.str(), "manifest-" + image.manifest.digest.str(), std::string("manifest")});
  CHECK(record.big_data.sizes.at("manifest") == static_cast<std::int64_t>(image.manifest.bytes.size()));
  CHECK(record.big_data.digests.at("manifest") == image.manifest.digest.str());
}

TEST_CASE("containers-storage: the list that an image was chosen from is kept, and names the image") {
  const LocalStore local;
  const auto list = make_list({{"linux", "amd64", "", "", {}}, {"linux", "arm64", "", "", {}}});
  const auto name = "example.com/app@" + list.manifest.digest.str();
  const auto destination = local.destination(name);
  CHECK(destination->traits().required_digest == list.manifest.digest);
  destination->keep_list(background(), list.manifest);
  write(*destination, list.images[0]);
  const auto source = local.source(name);
  CHECK(source->manifest(background(), std::nullopt).bytes == list.manifest.bytes);
  CHECK(source->manifest(background(), list.images[0].manifest.digest).bytes ==
        list.images[0].manifest.bytes);
  CHECK(kind_of([&] { source->manifest(background(), list.images[1].manifest.digest); }) == Kind::not_found);
  CHECK(local.open()->find_image(background(), name)->digest == list.manifest.digest.str());
}

TEST_CASE("containers-storage: layers that are there need not be sent again") {
  const LocalStore local;
  const auto image = make_image();
  write(*local.destination("example.com/app:1"), image);
  const auto destination = local.destination("example.com/app:2");
  for (const auto& layer : image.layers) {
    CHECK(destination->find_blob(background(), layer.descriptor.digest) == layer.descriptor.size);
    CHECK(destination->find_blob(background(), image.diff_ids[0].digest).has_value());
  }
  put(*destination, image.config, true);
  destination->put_manifest(background(), image.manifest, std::nullopt);
  destination->commit(background());
  CHECK(local.open()->find_image(background(), "example.com/app:2")->names.size() == 2);
}

TEST_CASE("containers-storage: a layer is found by its uncompressed digest when somebody knows that") {
  const LocalStore local;
  const auto gzip = make_image(), zstd = make_image({.compression = io::Compression::zstd});
  write(*local.destination("example.com/app:1"), gzip);
  const auto destination = local.destination("example.com/app:2");
  for (std::size_t i = 0; i < zstd.layers.size(); ++i) {
    CHECK_FALSE(destination->find_blob(background(), zstd.layers[i].descriptor.digest).has_value());
    CHECK(destination->find_unpacked(background(), zstd.layers[i].descriptor, zstd.diff_ids[i].digest) ==
          zstd.layers[i].descriptor.size);
  }
  put(*destination, zstd.config, true);
  destination->put_manifest(background(), zstd.manifest, std::nullopt);
  destination->commit(background());
  CHECK(local.open()->layers(background()).size() == 2);
}

TEST_CASE("containers-storage: signatures are kept with the image and given back one by one") {
  const LocalStore local;
  const auto image = make_image();
  const std::vector<std::string> signatures{std::string("\0sigstore-json\n{}", 17), "another one"};
  const auto destination = local.destination("example.com/app:1");
  put_blobs(*destination, image);
  destination->put_manifest(background(), image.manifest, std::nullopt);
  destination->signature_destination()->put_signatures(background(), signatures, std::nullopt);
  destination->commit(background());
  const auto source = local.source("example.com/app:1");
  CHECK(source->signature_source()->signatures(background(), std::nullopt) == signatures);
  CHECK(source->signature_source()->signatures(background(), image.manifest.digest) == signatures);
  CHECK(source->signature_source()->signatures(background(), image.config.descriptor.digest).empty());
  const auto record = local.open()->find_image(background(), "example.com/app:1").value();
  CHECK(record.metadata == R"({"signature-sizes":[17,11],"signatures-sizes":{")" +
                               image.manifest.digest.str() + R"(":[17,11]}})");
  CHECK(record.big_data.has("signature-" + image.manifest.digest.hex()));
}

TEST_CASE("containers-storage: a config that names other layers is refused") {
  const LocalStore local;
  const auto one = make_image(), two = make_image({.name = "two"});
  const auto destination = local.destination("example.com/app:1");
  for (const auto& layer : one.layers) put(*destination, layer);
  put(*destination, two.config, true);
  std::vector<spec::Descriptor> layers{one.layers[0].descriptor, one.layers[1].descriptor};
  const auto manifest =
      spec::Manifest::make(one.manifest.media_type, two.config.descriptor, layers).serialize();
  destination->put_manifest(background(), make_raw(manifest, one.manifest.media_type), std::nullopt);
  CHECK(kind_of([&] { destination->commit(background()); }) == Kind::integrity);
  CHECK(local.open()->images(background()).empty());
  CHECK(local.open()->layers(background()).empty());
}

TEST_CASE("containers-storage: an image is removed with its layers") {
  const LocalStore local;
  write(*local.destination("example.com/app:1"), make_image());
  const auto reference = parse_image_name(local.name("example.com/app:1"));
  reference->remove(background(), {});
  CHECK(local.open()->images(background()).empty());
  CHECK(local.open()->layers(background()).empty());
  CHECK(kind_of([&] { reference->remove(background(), {}); }) == Kind::image_not_found);
}

TEST_CASE("containers-storage: tags of a repository are listed") {
  const LocalStore local;
  write(*local.destination("example.com/app:2"), make_image());
  write(*local.destination("example.com/app:1"), make_image({.name = "other"}));
  write(*local.destination("example.com/app2:3"), make_image({.name = "third"}));
  const auto reference = parse_image_name(local.name("example.com/app"));
  CHECK(transport::containers_storage_tags(background(), *reference, {}) ==
        std::vector<std::string>{"1", "2"});
}

TEST_CASE("containers-storage: policies name the store and the parts of the name") {
  const auto reference = parse_image_name("containers-storage:[vfs@/a/root+/a/run]example.com/b/c:1");
  CHECK(reference->policy_identity() == "[vfs@/a/root]example.com/b/c:1");
  CHECK(reference->policy_scopes() ==
        std::vector<std::string>{"[vfs@/a/root]example.com/b/c", "[vfs@/a/root]example.com/b",
                                 "[vfs@/a/root]example.com", "[vfs@/a/root]", "[/a/root]"});
}

#include <doctest/doctest.h>

#include <latch>
#include <thread>

#include "fixture.hpp"
#include "io/digester.hpp"
#include "transport/dir/layout.hpp"

using namespace lade;
using namespace lade::test;
using transport::parse_image_name;

namespace {

struct Dir {
  test::Directory directory;
  std::string name = "dir:" + (directory / "image").string();

  std::unique_ptr<transport::ImageDestination> destination() const {
    return parse_image_name(name)->open_destination(background(), {});
  }
};

constexpr auto not_an_image = "not a containers image directory, don't want to overwrite important data";

}  // namespace

TEST_CASE("dir: an image is a version, a manifest and blobs named by their hex digits") {
  const Dir dir;
  const auto image = make_image();
  write_image(dir.name, image);
  std::map<std::string, std::string> expected{{"image", ""},
                                              {"image/version", "Directory Transport Version: 1.1\n"},
                                              {"image/manifest.json", image.manifest.bytes}};
  expected["image/" + image.config.descriptor.digest.hex()] = image.config.bytes;
  for (const auto& layer : image.layers) expected["image/" + layer.descriptor.digest.hex()] = layer.bytes;
  CHECK(dir.directory.snapshot() == expected);
}

TEST_CASE("dir: a directory with other things in it is not touched") {
  const Dir dir;
  dir.directory.write("image/thesis.tex", "important");
  CHECK(message_of([&] { dir.destination(); }) == not_an_image);
  dir.directory.write("image/version", "2.0\n");
  CHECK(message_of([&] { dir.destination(); }) == not_an_image);
  CHECK(dir.directory.read("image/thesis.tex") == "important");
}

TEST_CASE("dir: a version from the future is refused for reading and writing") {
  const Dir dir;
  dir.directory.write("image/version", "Directory Transport Version: 1.3\n");
  const std::string text =
      "unsupported directory transport version \"Directory Transport Version: 1.3\\n\" at " +
      (dir.directory / "image").string();
  CHECK(message_of([&] { dir.destination(); }) == text);
  CHECK(message_of([&] { open_source(dir.name); }) == text);
}

TEST_CASE("dir: versions are read strictly") {
  using transport::dir::parse_version;
  CHECK(parse_version("Directory Transport Version: 1.2\n") == transport::dir::newest_version);
  for (const auto* text : {"", "Directory Transport Version: 1.1", "Directory Transport Version: 01.1\n",
                           "Directory Transport Version: 1\n", "Directory Transport Version: +1.1\n",
                           "Directory Transport Version: 1.1\n\n"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_version(text).has_value());
  }
}

TEST_CASE("dir: the image that was there goes when the new one is complete, and all its files with it") {
  const Dir dir;
  write_image(dir.name, make_image(named("old")));
  dir.directory.write("image/signature-1", "of the old image");
  const auto image = make_image(named("new"));
  const auto destination = dir.destination();
  put_blobs(*destination, image);
  destination->put_manifest(background(), image.manifest, std::nullopt);
  CHECK(top_manifest(dir.name).bytes == make_image(named("old")).manifest.bytes);
  destination->commit(background());
  CHECK(top_manifest(dir.name).bytes == image.manifest.bytes);
  CHECK(dir.directory.snapshot().size() == 1 + 2 + 1 + image.layers.size());
}

TEST_CASE("dir: what a killed writer left behind does not keep the next one out") {
  const Dir dir;
  dir.directory.write("image/version", "Directory Transport Version: 1.1\n");
  dir.directory.write("image/dir-put-blobAbCdEf", "half a blob");
  write_image(dir.name, make_image());
  CHECK_FALSE(dir.directory.has("image/dir-put-blobAbCdEf"));
}

TEST_CASE("dir: digests other than SHA-256 say so in names and version") {
  const Dir dir;
  const auto image = make_image();
  const auto destination = dir.destination();
  transport::PutBlob blob;
  blob.digest = io::digest_of("text", spec::Digest::Algorithm::sha512);
  const auto reader = io::make_text_reader("text");
  destination->put_blob(background(), blob, *reader);
  destination->put_manifest(background(), image.manifest, std::nullopt);
  destination->commit(background());
  CHECK(dir.directory.read("image/version") == "Directory Transport Version: 1.2\n");
  CHECK(dir.directory.read("image/sha512-" + blob.digest->hex()) == "text");
}

TEST_CASE("dir: a manifest that was changed on disk does not pass for an instance") {
  const Dir dir;
  const auto image = make_image();
  dir.directory.write("image/" + image.manifest.digest.hex() + ".manifest.json", image.manifest.bytes + " ");
  const auto source = open_source(dir.name);
  CHECK(kind_of([&] { source->manifest(background(), image.manifest.digest); }) == Kind::integrity);
}

TEST_CASE("dir: layers are compressed or decompressed if asked for, not both") {
  const Dir dir;
  transport::Options options;
  using Layers = transport::DestinationTraits::Layers;
  CHECK(dir.destination()->traits().layers == Layers::preserve);
  options.dir_compress = true;
  const auto reference = parse_image_name(dir.name);
  CHECK(reference->open_destination(background(), options)->traits().layers == Layers::compress);
  options.dir_decompress = true;
  CHECK(message_of([&] { reference->open_destination(background(), options); }) ==
        "Cannot compress and decompress at the same time");
}

TEST_CASE("dir: signatures lie beside the manifest they belong to, numbered from 1") {
  const Dir dir;
  const auto image = make_image();
  const auto destination = dir.destination();
  put_blobs(*destination, image);
  destination->put_manifest(background(), image.manifest, image.manifest.digest);
  destination->put_manifest(background(), image.manifest, std::nullopt);
  auto* signatures = destination->signature_destination();
  REQUIRE(signatures != nullptr);
  const std::vector<std::string> two = {"\xa3 one", std::string("\0sigstore-json\n{}", 18)};
  signatures->put_signatures(background(), two, std::nullopt);
  signatures->put_signatures(background(), {two[1]}, image.manifest.digest);
  CHECK_FALSE(dir.directory.has("image/signature-1"));
  destination->commit(background());
  CHECK(dir.directory.read("image/signature-2") == two[1]);
  CHECK(dir.directory.has("image/" + image.manifest.digest.hex() + ".signature-1"));

  const auto source = open_source(dir.name);
  CHECK(source->signature_source()->signatures(background(), std::nullopt) == two);
  CHECK(source->signature_source()->signatures(background(), image.manifest.digest).size() == 1);
}

TEST_CASE("dir: what is no signature is not taken for one") {
  const Dir dir;
  write_image(dir.name, make_image());
  const auto source = open_source(dir.name);
  const std::map<std::string, std::string> texts = {
      {"", "empty signature blob"},
      {"x", "unrecognized signature format, starting with binary 0x78"},
      {std::string(1, '\0') + "sigstore-json", "invalid signature format, missing newline"},
      {std::string(1, '\0') + "other\n", "unrecognized signature format \"other\""}};
  for (const auto& [text, message] : texts) {
    dir.directory.write("image/signature-1", text);
    CHECK(message_of([&] {
            source->signature_source()->signatures(background(), std::nullopt);
          }).ends_with("image/signature-1\": " + message));
  }
}

TEST_CASE("dir: instances of a list may come from several threads at once") {
  const Dir dir;
  std::vector<TestImage> images;
  for (int i = 0; i < 32; ++i) images.push_back(make_image(named(std::to_string(i))));
  const auto destination = dir.destination();
  constexpr std::size_t count = 4;
  {
    std::latch start(count);
    std::vector<std::jthread> threads;
    for (std::size_t first = 0; first < count; ++first) {
      threads.emplace_back([&, first] {
        start.arrive_and_wait();
        for (std::size_t i = first; i < images.size(); i += count) {
          const auto& manifest = images[i].manifest;
          destination->put_manifest(background(), manifest, manifest.digest);
          destination->signature_destination()->put_signatures(background(), {"\xa3"}, manifest.digest);
        }
      });
    }
  }
  destination->put_manifest(background(), images[0].manifest, std::nullopt);
  destination->commit(background());
  CHECK(dir.directory.snapshot().size() == 1 + 2 + 2 * images.size());
}

#include "transport/docker_archive/docker_archive.hpp"

#include <doctest/doctest.h>

#include "archive/tar_reader.hpp"
#include "fixture.hpp"
#include "io/digester.hpp"
#include "spec/json.hpp"
#include "transport/docker_archive/archive.hpp"
#include "transport/docker_archive/writer.hpp"

using namespace lade;
using namespace lade::test;
using transport::parse_image_name;

namespace {

struct Archive {
  test::Directory directory;
  std::string path = (directory / "archive.tar").string();
  std::string name(const std::string& reference) const { return "docker-archive:" + path + reference; }
};

// Name to content; a link to its target.
std::map<std::string, std::string> members_of(const std::string& tar) {
  const auto inner = io::make_text_reader(tar);
  archive::TarReader reader(*inner);
  std::map<std::string, std::string> members;
  while (const auto* entry = reader.next()) {
    const std::string name = entry->header.name;
    const std::string link = entry->header.link;
    members[name] = link + read_text(reader);
  }
  return members;
}

// As other tools write it: layers compressed each, a legacy link, names of their own.
std::string foreign_archive(const TestImage& image, io::Compression compression) {
  test::TextWriter out;
  archive::TarWriter tar(out);
  const auto add = [&](archive::TarHeader header, std::string_view content) { tar.add(header, content); };
  const auto file = [](const std::string& name) {
    archive::TarHeader header;
    header.name = name;
    return header;
  };
  add(file("manifest.json"),
      R"([{"Config":"config","RepoTags":["busybox:1"],"Layers":["a/layer.tar","b.tar"]}])");
  auto link = file("a/layer.tar");
  link.type = archive::TarType::symlink;
  link.link = "../real.tar";
  add(link, "");
  add(file("real.tar"), compressed(image.layers[0].bytes, compression));
  add(file("b.tar"), compressed(image.layers[1].bytes, compression));
  add(file("config"), image.config.bytes);
  tar.finish();
  return out.text;
}

void check_is(transport::ImageSource& source, const TestImage& image) {
  const auto raw = source.manifest(background(), std::nullopt);
  const auto manifest = spec::Manifest::parse(raw.bytes, raw.media_type);
  CHECK(manifest.config().digest == image.config.descriptor.digest);
  for (std::size_t i = 0; i < image.layers.size(); ++i) {
    CHECK(manifest.layers().at(i).digest == image.diff_ids[i].digest);
    CHECK(manifest.layers().at(i).size == image.layers[i].bytes.size());
    CHECK(read_blob(source, image.diff_ids[i].digest) == image.layers[i].bytes);
  }
}

}  // namespace

TEST_CASE("docker-archive: layers, config, legacy directories and tables are where docker load looks") {
  const Archive archive;
  const auto image = make_image(docker_options());
  write_image(archive.name(":example.com/a:1"), image);
  const auto members = members_of(archive.directory.read("archive.tar"));
  const std::string config = image.config.descriptor.digest.hex() + ".json";
  const std::string first = image.diff_ids[0].digest.hex() + ".tar";
  const std::string second = image.diff_ids[1].digest.hex() + ".tar";
  CHECK(members.at(first) == image.layers[0].bytes);
  CHECK(members.at(second) == image.layers[1].bytes);
  CHECK(members.at(config) == image.config.bytes);
  CHECK(members.at("manifest.json") == R"([{"Config":")" + config +
                                           R"(","RepoTags":["example.com/a:1"],"Layers":[")" + first +
                                           R"(",")" + second + "\"]}]");
  const auto id = io::digest_of(R"({"layer_id":")" + image.diff_ids[0].digest.str() + "\"}").hex();
  CHECK(members.at(id + "/VERSION") == "1.0");
  CHECK(members.at(id + "/json") == "{\"id\":\"" + id + "\"}");
  CHECK(members.at(id + "/layer.tar") == "../" + first);
  CHECK(members.size() == 3 + 2 * 3 + 2);
}

TEST_CASE("docker-archive: the top legacy layer has parts of the config, in the order of their names") {
  const Archive archive;
  const auto image = make_image(docker_options());
  write_image(archive.name(":a:1"), image);
  const auto members = members_of(archive.directory.read("archive.tar"));
  const auto repositories = spec::parse_json(members.at("repositories"), "repositories");
  const auto top = repositories["docker.io/library/a"]["1"].get<std::string>();
  const std::string json = members.at(top + "/json");
  CHECK(json.starts_with(
      R"({"architecture":"amd64","config":{"Env":["PATH=/bin","NAME=image"],"Cmd":["/bin/sh"]},)"
      R"("container":null,"container_config":null,"created":"2024-01-02T03:04:05Z",)"
      R"("docker_version":null,"id":")"));
  CHECK(json.find(R"("os":"linux","parent":")") != std::string::npos);
}

TEST_CASE("docker-archive: further tags are written, each once") {
  const Archive archive;
  transport::Options options;
  for (const auto* tag : {"b:2", "a:1"}) options.additional_tags.push_back(spec::Reference::parse(tag));
  write_image(archive.name(":a:1"), make_image(docker_options()), options);
  const auto reference = parse_image_name(archive.name(""));
  CHECK(transport::docker_archive_tags(background(), *reference, {}) ==
        std::vector<std::string>{"docker.io/library/a:1", "docker.io/library/b:2"});
}

TEST_CASE("docker-archive: several images share one archive and their common layers") {
  const Archive archive;
  const auto first = make_image(docker_options("first"));
  auto second = make_image(docker_options("second"));
  second.layers[0] = first.layers[0];
  transport::docker_archive::Writer writer(archive.path, "/tmp");
  const auto add = [&](const TestImage& image, const char* tag) {
    std::vector<spec::Descriptor> layers;
    for (const auto& layer : image.layers) {
      const auto reader = io::make_text_reader(layer.bytes);
      writer.put_blob(background(), put_of(layer), *reader);
      layers.push_back(layer.descriptor);
    }
    const auto reader = io::make_text_reader(image.config.bytes);
    writer.put_blob(background(), put_of(image.config, true), *reader);
    writer.add_image(layers, image.config.descriptor.digest, image.config.bytes,
                     {spec::Reference::parse(tag)});
  };
  add(first, "a:1");
  add(second, "b:1");
  add(first, "c:1");
  writer.finish();
  const auto manifest =
      spec::parse_json(members_of(archive.directory.read("archive.tar")).at("manifest.json"), "");
  REQUIRE(manifest.size() == 2);
  CHECK(manifest[0]["RepoTags"] == spec::Json{"docker.io/library/a:1", "docker.io/library/c:1"});
  CHECK(manifest[0]["Layers"][0] == manifest[1]["Layers"][0]);
}

TEST_CASE("docker-archive: an existing archive is not modified") {
  const Archive archive;
  archive.directory.write("archive.tar", "x");
  const auto error = error_of([&] { write_image(archive.name(":a:1"), make_image(docker_options())); });
  CHECK(std::string(error.what()) == "docker-archive doesn't support modifying existing images");
  CHECK(archive.directory.read("archive.tar") == "x");
  archive.directory.write("archive.tar", "");
  write_image(archive.name(":a:1"), make_image(docker_options()));
  CHECK(archive.directory.snapshot().size() == 1);
}

TEST_CASE("docker-archive: layers compressed one by one are handed out uncompressed") {
  for (const auto compression : {io::Compression::none, io::Compression::gzip, io::Compression::zstd}) {
    const Archive archive;
    const auto image = make_image(docker_options());
    archive.directory.write("archive.tar", foreign_archive(image, compression));
    check_is(*open_source(archive.name("")), image);
  }
}

TEST_CASE("docker-archive: an archive compressed as a whole is read") {
  const Archive archive;
  const auto image = make_image(docker_options());
  const auto plain = foreign_archive(image, io::Compression::none);
  for (const auto compression : {io::Compression::gzip, io::Compression::zstd}) {
    archive.directory.write("archive.tar", compressed(plain, compression));
    check_is(*open_source(archive.name("")), image);
  }
}

TEST_CASE("docker-archive: the manifest is made of the diff ids, with the types that skopeo gives") {
  const Archive archive;
  const auto image = make_image(docker_options());
  archive.directory.write("archive.tar", foreign_archive(image, io::Compression::gzip));
  const auto source = open_source(archive.name(""));
  CHECK(source->synthesizes_manifest());
  const auto raw = source->manifest(background(), std::nullopt);
  CHECK(raw.media_type == spec::media_type::docker_manifest);
  const auto layer = [&](std::size_t i) {
    return R"({"mediaType":"application/vnd.docker.image.rootfs.diff.tar.gzip","size":)" +
           std::to_string(image.layers[i].bytes.size()) + R"(,"digest":")" + image.diff_ids[i].digest.str() +
           "\"}";
  };
  CHECK(raw.bytes ==
        R"({"schemaVersion":2,"mediaType":"application/vnd.docker.distribution.manifest.v2+json","config":)"
        R"({"mediaType":"application/vnd.docker.container.image.v1+json","size":)" +
            std::to_string(image.config.bytes.size()) + R"(,"digest":")" +
            image.config.descriptor.digest.str() + R"("},"layers":[)" + layer(0) + "," + layer(1) + "]}");
}

TEST_CASE("docker-archive: images are chosen by tag or position") {
  const Archive archive;
  const auto image = make_image(docker_options());
  archive.directory.write("archive.tar", foreign_archive(image, io::Compression::none));
  for (const auto* reference : {"", ":busybox:1", ":docker.io/library/busybox:1", ":@0"}) {
    CAPTURE(reference);
    check_is(*open_source(archive.name(reference)), image);
  }
  CHECK(message_of([&] { open_source(archive.name(":busybox")); }) ==
        "Tag \"docker.io/library/busybox:latest\" not found");
  CHECK(message_of([&] { open_source(archive.name(":@1")); }) ==
        "Invalid source index @1, only 1 manifest items available");
}

TEST_CASE("docker-archive: references are checked when they are parsed") {
  const std::pair<const char*, const char*> table[] = {
      {"", "docker-archive reference  isn't of the form <path>[:<reference>]"},
      {"p:@x", "Invalid source index @x: not an integer"},
      {"p:@-1", "Invalid source index @-1: must not be negative"},
      {"p:UPPER",
       "docker-archive parsing reference: invalid reference format: repository name must be lowercase"},
      {"p:a@sha256:0000000000000000000000000000000000000000000000000000000000000000",
       "reference does not include a tag: "
       "docker.io/library/a@sha256:0000000000000000000000000000000000000000000000000000000000000000"}};
  for (const auto& [text, message] : table) {
    CHECK(message_of([&, name = text] { transport::docker_archive::parse_archive_name(name); }) == message);
  }
  CHECK(parse_image_name("docker-archive:p:busybox")->docker_reference()->str() ==
        "docker.io/library/busybox:latest");
}

TEST_CASE("docker-archive: a broken archive is an error that says what is missing") {
  const std::pair<std::string, const char*> table[] = {
      {make_tar({{"a", ""}}), "loading tar component \"manifest.json\": file does not exist"},
      {make_tar({{"manifest.json", "[]"}}), "Unexpected tar manifest.json: expected 1 item, got 0"},
      {make_tar({{"manifest.json", R"([{"Config":"c","Layers":[]}])"}}),
       "loading tar component \"c\": file does not exist"},
      {make_tar(
           {{"manifest.json", R"([{"Config":"c","Layers":["l"]}])"}, {"c", R"({"rootfs":{"diff_ids":[]}})"}}),
       "Inconsistent layer count: 1 in manifest, 0 in config"},
      {make_tar({{"manifest.json", R"([{"Config":"c","Layers":[]}])"}, {"c", "{}"}}),
       "Invalid image config (rootFS is not set): \"c\""}};
  for (const auto& [tar, message] : table) {
    const Archive archive;
    archive.directory.write("archive.tar", tar);
    CHECK(message_of([&] { open_source(archive.name("")); }) == message);
  }
}

TEST_CASE("docker-archive: only Docker manifests of single images are written") {
  const Archive archive;
  const auto destination = parse_image_name(archive.name(":a:1"))->open_destination(background(), {});
  const auto oci = make_image();
  CHECK(kind_of([&] { destination->put_manifest(background(), oci.manifest, std::nullopt); }) ==
        Kind::unsupported);
  const auto image = make_image(docker_options());
  CHECK(kind_of([&] { destination->put_manifest(background(), image.manifest, image.manifest.digest); }) ==
        Kind::unsupported);
  CHECK(kind_of([&] { destination->put_manifest(background(), image.manifest, std::nullopt); }) ==
        Kind::invalid_input);
}

#include <doctest/doctest.h>
#include <sys/stat.h>

#include <future>

#include "archive/tar_reader.hpp"
#include "fixture.hpp"
#include "os/file.hpp"

using namespace lade;
using namespace lade::test;
using transport::parse_image_name;

namespace {

struct OciArchive {
  test::Directory directory;
  std::string path = (directory / "archive.tar").string();
  std::string name = "oci-archive:" + path + ":name";
};

std::vector<std::string> names_in(const std::string& tar) {
  const auto inner = io::make_text_reader(tar);
  archive::TarReader reader(*inner);
  std::vector<std::string> names;
  while (const auto* entry = reader.next()) names.push_back(entry->header.name);
  return names;
}

std::string blob_name(const spec::Digest& digest) {
  return "blobs/sha256/" + digest.hex();
}

}  // namespace

TEST_CASE("oci-archive: blobs come first and the tables last") {
  const OciArchive archive;
  const auto image = make_image();
  write_image(archive.name, image);
  const std::vector<std::string> expected = {"blobs/",
                                             "blobs/sha256/",
                                             blob_name(image.layers[0].descriptor.digest),
                                             blob_name(image.layers[1].descriptor.digest),
                                             blob_name(image.config.descriptor.digest),
                                             blob_name(image.manifest.digest),
                                             "index.json",
                                             "oci-layout"};
  CHECK(names_in(archive.directory.read("archive.tar")) == expected);
}

TEST_CASE("oci-archive: the same image gives the same bytes") {
  const OciArchive first;
  const OciArchive second;
  write_image(first.name, make_image());
  write_image(second.name, make_image());
  CHECK(first.directory.read("archive.tar") == second.directory.read("archive.tar"));
}

TEST_CASE("oci-archive: nothing lies beside the archive, during or after") {
  const OciArchive archive;
  write_image(archive.name, make_image());
  CHECK(archive.directory.snapshot().size() == 1);
}

TEST_CASE("oci-archive: compressed archives are read") {
  const OciArchive archive;
  const auto image = make_image();
  write_image(archive.name, image);
  const auto plain = archive.directory.read("archive.tar");
  for (const auto format : {io::Compression::gzip, io::Compression::zstd}) {
    archive.directory.write("archive.tar", compressed(plain, format));
    CHECK(top_manifest(archive.name).bytes == image.manifest.bytes);
  }
}

TEST_CASE("oci-archive: a pipe is written and read, blobs of unknown size too") {
  const OciArchive archive;
  REQUIRE(::mkfifo(archive.path.c_str(), 0600) == 0);
  auto reading = std::async(std::launch::async, [&] { return os::read_file(archive.path, 1 << 20); });
  const auto image = make_image();
  {
    const auto destination = parse_image_name(archive.name)->open_destination(background(), {});
    const auto reader = io::make_text_reader(image.layers[0].bytes);
    destination->put_blob(background(), {}, *reader);
    put_blobs(*destination, image);
    destination->put_manifest(background(), image.manifest, std::nullopt);
    destination->commit(background());
  }
  const std::string tar = reading.get();
  CHECK(names_in(tar).size() == 8);
  auto writing = std::async(std::launch::async,
                            [&] { os::write_all(os::open_file(archive.path, O_WRONLY), io::as_bytes(tar)); });
  const auto source = open_source(archive.name);
  writing.get();
  CHECK(source->manifest(background(), std::nullopt).bytes == image.manifest.bytes);
  CHECK(read_blob(*source, image.layers[1].descriptor.digest) == image.layers[1].bytes);
}

TEST_CASE("oci-archive: a blob that fails in a pipe spoils it, and later calls say so") {
  const OciArchive archive;
  REQUIRE(::mkfifo(archive.path.c_str(), 0600) == 0);
  auto reading = std::async(std::launch::async, [&] { return os::read_file(archive.path, 1 << 20); });
  const auto image = make_image();
  {
    const auto destination = parse_image_name(archive.name)->open_destination(background(), {});
    const auto wrong = io::make_text_reader("wrong");
    CHECK(kind_of([&] { destination->put_blob(background(), put_of(image.layers[0]), *wrong); }) ==
          Kind::integrity);
    CHECK(message_of([&] { put(*destination, image.layers[0]); }) ==
          "the archive is incomplete because an earlier blob failed");
  }
  reading.get();
}

TEST_CASE("oci-archive: errors name the archive, and what is not in it") {
  const OciArchive archive;
  CHECK(message_of([&] { open_source(archive.name); }) == "archive file not found: \"" + archive.path + "\"");
  archive.directory.write("archive.tar", make_tar({{"a", "b"}}));
  CHECK(message_of([&] { open_source(archive.name); }) == "there is no index.json in " + archive.path);
  write_image(archive.name, make_image());
  const auto error = error_of([&] { open_source("oci-archive:" + archive.path + ":other"); });
  CHECK(error.kind() == Kind::image_not_found);
}

TEST_CASE("oci-archive: members with a leading ./ and repeated members are read as unpacking would") {
  const OciArchive archive;
  const auto image = make_image(named("first"));
  write_image(archive.name, image);
  test::TextWriter out;
  archive::TarWriter tar(out);
  const auto source = open_source(archive.name);
  const auto add = [&](const std::string& name, std::string_view content) {
    archive::TarHeader header;
    header.name = name;
    tar.add(header, content);
  };
  add("./index.json", "{}");
  add("./" + blob_name(image.manifest.digest), image.manifest.bytes);
  add("./index.json", R"({"schemaVersion":2,"manifests":[{"mediaType":")" + image.manifest.media_type +
                          R"(","digest":")" + image.manifest.digest.str() + R"(","size":1}]})");
  tar.finish();
  archive.directory.write("archive.tar", out.text);
  CHECK(top_manifest("oci-archive:" + archive.path).bytes == image.manifest.bytes);
}

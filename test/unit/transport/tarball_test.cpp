#include <doctest/doctest.h>
#include <sys/stat.h>

#include "fixture.hpp"
#include "io/digester.hpp"
#include "spec/image_config.hpp"

using namespace lade;
using namespace lade::test;
using transport::parse_image_name;

namespace {

constexpr timespec some_time{1'700'000'000, 120'000'000};

void write_layer(const test::Directory& directory, const char* name, const std::string& bytes) {
  directory.write(name, bytes);
  const timespec times[2] = {some_time, some_time};
  REQUIRE(::utimensat(AT_FDCWD, (directory / name).c_str(), times, 0) == 0);
}

}  // namespace

TEST_CASE("tarball: each file is a layer, and config and manifest are made for them") {
  const test::Directory directory;
  const std::string tar = make_tar({{"a", "content"}});
  write_layer(directory, "plain.tar", tar);
  write_layer(directory, "zipped.tar", compressed(tar, io::Compression::gzip));
  const auto source = open_source("tarball:" + (directory / "plain.tar").string() + ":" +
                                  (directory / "zipped.tar").string());
  CHECK(source->synthesizes_manifest());
  const auto raw = source->manifest(background(), std::nullopt);
  const auto manifest = spec::Manifest::parse(raw.bytes, raw.media_type);
  REQUIRE(manifest.layers().size() == 2);
  CHECK(manifest.layers()[0].media_type == spec::media_type::oci_layer_tar);
  CHECK(manifest.layers()[1].media_type == spec::media_type::oci_layer_gzip);
  for (const auto& layer : manifest.layers()) {
    CHECK(io::digest_of(read_blob(*source, layer.digest)) == layer.digest);
  }
  const std::string id = io::digest_of(tar).hex();
  const std::string history =
      R"({"created":"2023-11-14T22:13:20.12Z","created_by":"/bin/sh -c #(nop) ADD file:)" + id +
      R"( in /","comment":"imported from tarball"})";
  CHECK(read_blob(*source, manifest.config().digest) ==
        R"({"created":"2023-11-14T22:13:20.12Z","architecture":")" + spec::host_architecture() +
            R"(","os":"linux","config":{},"rootfs":{"type":"layers","diff_ids":["sha256:)" + id +
            R"(","sha256:)" + id + R"("]},"history":[)" + history + "," + history + "]}");
}

TEST_CASE("tarball: a file that is not there is refused when the name is parsed") {
  CHECK(message_of([] { parse_image_name("tarball:/missing.tar"); }) ==
        "error opening \"/missing.tar\": open /missing.tar: no such file or directory");
}

TEST_CASE("tarball: a damaged file is an error that names it") {
  const test::Directory directory;
  const std::string zipped = compressed(make_tar({{"a", "content"}}), io::Compression::gzip);
  directory.write("cut.tar.gz", zipped.substr(0, zipped.size() - 10));
  const std::string path = (directory / "cut.tar.gz").string();
  CHECK(message_of([&] { open_source("tarball:" + path); }).starts_with("error reading \"" + path + "\": "));
}

TEST_CASE("tarball: what is not in the image is not found") {
  const test::Directory directory;
  directory.write("a.tar", make_tar({}));
  const auto source = open_source("tarball:" + (directory / "a.tar").string());
  CHECK(kind_of([&] { read_blob(*source, io::digest_of("x")); }) == Kind::not_found);
  CHECK(kind_of([&] { source->manifest(background(), io::digest_of("x")); }) == Kind::unsupported);
}

#include <doctest/doctest.h>

#include "fixture.hpp"
#include "io/digester.hpp"
#include "os/file.hpp"
#include "transport/archive_input.hpp"
#include "transport/archive_output.hpp"
#include "transport/local_path.hpp"
#include "transport/raw_manifest.hpp"
#include "transport/verified_copy.hpp"

using namespace lade;
using namespace lade::test;
using namespace lade::transport;

namespace {

archive::TarHeader named_header(const std::string& name) {
  archive::TarHeader header;
  header.name = name;
  return header;
}

BlobInfo add(ArchiveOutput& output, const PutBlob& blob, const std::string& bytes) {
  const auto reader = io::make_text_reader(bytes);
  return output.add_blob(background(), blob, *reader,
                         [](const spec::Digest& digest) { return named_header(digest.hex()); });
}

PutBlob known(const std::string& bytes) {
  PutBlob blob;
  blob.digest = io::digest_of(bytes);
  blob.size = bytes.size();
  return blob;
}

}  // namespace

TEST_CASE("an archive is the same whether sizes were known before or not") {
  const test::Directory directory;
  for (const auto* name : {"known.tar", "unknown.tar"}) {
    ArchiveOutput output((directory / name).string(), directory.str());
    for (const std::string bytes : {"one", "two two", ""}) {
      add(output, name == std::string("known.tar") ? known(bytes) : PutBlob{}, bytes);
    }
    output.finish();
  }
  CHECK(directory.read("known.tar") == directory.read("unknown.tar"));
  CHECK(directory.snapshot().size() == 2);
}

TEST_CASE("blobs that fail leave no trace in an archive") {
  const test::Directory directory;
  for (const auto* name : {"clean.tar", "failed.tar"}) {
    ArchiveOutput output((directory / name).string(), directory.str());
    add(output, known("first"), "first");
    if (name == std::string("failed.tar")) {
      CHECK_THROWS_AS(add(output, known("right"), "wrong"), Error);
      CHECK_THROWS_AS(add(output, known("right"), "right and more"), Error);
      PutBlob sized;
      sized.size = 3;
      CHECK_THROWS_AS(add(output, sized, "12345"), Error);
    }
    add(output, known("second"), "second");
    output.finish();
  }
  CHECK(directory.read("clean.tar") == directory.read("failed.tar"));
}

TEST_CASE("an archive that is not finished does not appear, and the old one stays") {
  const test::Directory directory;
  directory.write("archive.tar", "old");
  {
    ArchiveOutput output((directory / "archive.tar").string(), directory.str());
    add(output, known("blob"), "blob");
  }
  CHECK(directory.snapshot() == std::map<std::string, std::string>{{"archive.tar", "old"}});
}

TEST_CASE("an archive behind a link replaces what the link points to") {
  const test::Directory directory;
  directory.write("real.tar", "old");
  std::filesystem::create_symlink("real.tar", directory / "link.tar");
  ArchiveOutput output((directory / "link.tar").string(), directory.str());
  output.finish();
  CHECK(std::filesystem::is_symlink(directory / "link.tar"));
  CHECK(directory.read("real.tar") == std::string(1024, '\0'));
}

TEST_CASE("plain archives are opened in place, compressed ones are spooled without a trace") {
  const test::Directory directory;
  const test::Directory spool;
  const std::string tar = make_tar({{"a", "content"}});
  directory.write("plain.tar", tar);
  directory.write("zipped.tar", compressed(tar, io::Compression::zstd));
  const auto plain = open_plain_tar(background(), (directory / "plain.tar").string(), "/missing");
  CHECK(static_cast<std::size_t>(os::stat_of(*plain).st_size) == tar.size());
  const auto spooled = open_plain_tar(background(), (directory / "zipped.tar").string(), spool.str());
  os::RangeReader reader(spooled, 0, tar.size());
  CHECK(read_text(reader) == tar);
  CHECK(spool.snapshot().empty());
}

TEST_CASE("copied bytes are checked against what is known of them") {
  const std::string bytes = random_bytes(1'000'000);
  const auto copy = [&](PutBlob blob) {
    SlowReader reader(bytes, 12'345);
    test::TextWriter out;
    return copy_verified(background(), blob, reader, out);
  };
  PutBlob blob;
  CHECK(copy(blob).digest == io::digest_of(bytes));
  blob.size = bytes.size();
  CHECK(copy(blob).size == bytes.size());
  blob.size = bytes.size() - 1;
  CHECK(kind_of([&] { copy(blob); }) == Kind::integrity);
  blob.size = bytes.size() + 1;
  CHECK(kind_of([&] { copy(blob); }) == Kind::integrity);
  blob = known(bytes);
  blob.digest = io::digest_of(bytes, spec::Digest::Algorithm::sha512);
  CHECK(copy(blob).digest == *blob.digest);
}

TEST_CASE("raw manifests get their type and digest from their bytes") {
  const auto image = make_image();
  const auto raw = make_raw_manifest(image.manifest.bytes, "");
  CHECK(raw.media_type == spec::media_type::oci_manifest);
  CHECK(raw.digest == image.manifest.digest);
  const auto other = io::digest_of("x");
  CHECK(kind_of([&] { make_raw_manifest(image.manifest.bytes, "", other); }) == Kind::integrity);
}

TEST_CASE("local paths are resolved, their last part need not be there") {
  const test::Directory directory;
  std::filesystem::create_directory(directory / "a");
  std::filesystem::create_symlink("a", directory / "link");
  CHECK(resolve_path((directory / "link/../link/new").string()) == (directory / "a/new").string());
  CHECK(resolve_path((directory / "link").string()) == (directory / "a").string());
  CHECK(kind_of([&] { resolve_path((directory / "missing/new").string()); }) == Kind::not_found);
  CHECK(path_scopes("/a/b/c", false) == std::vector<std::string>{"/a/b", "/a"});
  CHECK(path_scopes("/a/b", true) == std::vector<std::string>{"/a/b", "/a"});
}

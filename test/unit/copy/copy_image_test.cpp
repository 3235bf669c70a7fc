#include <doctest/doctest.h>

#include "copy/fixture.hpp"
#include "support/image_builder.hpp"

using namespace lade;
using namespace lade::test;

namespace {

std::string plain(const std::string& bytes) {
  auto [reader, compression] = io::detect(io::make_text_reader(bytes));
  auto decompressed = io::decompress(std::move(reader), compression);
  return io::read_all(*decompressed, 1 << 20, "layer");
}

}  // namespace

TEST_CASE("an image arrives byte for byte where nothing must change") {
  MemoryReference from("a"), to("b");
  set_top(*from.store, add_image(*from.store, {"one", "two"}));
  const auto result = run(from, to);
  CHECK(result.manifest.digest == top_digest(from));
  CHECK(to.store->lock()->top->bytes == from.store->lock()->top->bytes);
  CHECK(to.store->lock()->blobs == from.store->lock()->blobs);
  CHECK(to.store->lock()->commits == 1);
}

TEST_CASE("a plain layer is compressed on the way and the manifest follows") {
  MemoryReference from("a"), to("b", compressing());
  set_top(*from.store, add_image(*from.store, {"one"}));
  run(from, to);
  const auto layer = top_manifest(to).layers().at(0);
  CHECK(layer.media_type == types::oci_layer_gzip);
  CHECK(layer.size == blob_of(to, layer.digest).size());
  CHECK(plain(blob_of(to, layer.digest)) == "one");
}

TEST_CASE("zstd is used when asked for, and spooling first gives the same") {
  for (const bool precompute : {false, true}) {
    MemoryReference from("a"), to("b", compressing());
    set_top(*from.store, add_image(*from.store, {"one"}));
    copy::CopyOptions options;
    options.compression = io::Compression::zstd;
    options.precompute_digests = precompute;
    options.destination.big_files_dir = "/tmp";
    run(from, to, options);
    const auto layer = top_manifest(to).layers().at(0);
    CHECK(layer.media_type == types::oci_layer_zstd);
    CHECK(plain(blob_of(to, layer.digest)) == "one");
  }
}

TEST_CASE("zstd:chunked layers have annotations, which another compression takes away") {
  for (const bool precompute : {false, true}) {
    MemoryReference from("a"), chunked("b", compressing()), back("c", compressing());
    const std::string tar = make_tar({{"file", "content"}});
    set_top(*from.store, add_image(*from.store, {tar}));
    copy::CopyOptions options;
    copy::set_compression(options, "zstd:chunked");
    options.precompute_digests = precompute;
    options.destination.big_files_dir = "/tmp";
    run(from, chunked, options);
    const auto layer = top_manifest(chunked).layers().at(0);
    CHECK(layer.media_type == types::oci_layer_zstd);
    CHECK(layer.annotations.size() == 3);
    CHECK(plain(blob_of(chunked, layer.digest)) == tar);
    copy::set_compression(options, "gzip");
    run(chunked, back, options);
    CHECK(top_manifest(back).layers().at(0).annotations.empty());
  }
}

TEST_CASE("a layer that is zstd already is made zstd:chunked, and one that is that stays") {
  MemoryReference from("a"), plain_zstd("b", compressing()), chunked("c", compressing()), again("d", compressing());
  set_top(*from.store, add_image(*from.store, {make_tar({{"file", "content"}})}));
  copy::CopyOptions options;
  copy::set_compression(options, "zstd");
  run(from, plain_zstd, options);
  copy::set_compression(options, "zstd:chunked");
  run(plain_zstd, chunked, options);
  CHECK(top_manifest(chunked).layers().at(0).annotations.size() == 3);
  options.force_compression_format = true;
  run(chunked, again, options);
  CHECK(top_digest(again) == top_digest(chunked));
}

TEST_CASE("a layer that is compressed again is not written again if its digest is computed first") {
  for (const bool precompute : {false, true}) {
    MemoryReference from("a"), to("b", compressing());
    set_top(*from.store, add_image(*from.store, {"one"}));
    copy::CopyOptions options;
    options.precompute_digests = precompute;
    options.destination.big_files_dir = "/tmp";
    run(from, to, options);
    to.store->lock()->blobs_written.clear();
    const auto again = run(from, to, options).manifest.digest;
    CHECK(again == top_digest(to));
    CHECK(to.store->lock()->blobs_written.empty() == precompute);
  }
}

TEST_CASE("a blob that occurs twice is read and written once") {
  MemoryReference from("a"), to("b");
  set_top(*from.store, add_image(*from.store, {"same", "other", "same"}));
  run(from, to);
  CHECK(from.store->lock()->blobs_read.size() == 3);
  CHECK(to.store->lock()->blobs_written.size() == 3);
}

TEST_CASE("blobs that are there already are not read") {
  MemoryReference from("a"), to("b");
  set_top(*from.store, add_image(*from.store, {"one", "two"}));
  run(from, to);
  from.store->lock()->blobs_read.clear();
  run(from, to);
  CHECK(from.store->lock()->blobs_read.empty());
}

TEST_CASE("a layer with wrong bytes is refused and nothing is committed") {
  for (const bool compress : {false, true}) {
    MemoryReference from("a"), to("b", compress ? compressing() : transport::DestinationTraits{});
    const auto image = add_image(*from.store, {"one"});
    set_top(*from.store, image);
    from.store->lock()->blobs[io::digest_of("one").str()] = "two";
    CHECK_THROWS_AS(run(from, to), Error);
    CHECK_FALSE(to.store->lock()->top);
    CHECK(to.store->lock()->commits == 0);
  }
}

TEST_CASE("an error while reading blames the source, with the blob and its digest") {
  MemoryReference from("a"), to("b");
  set_top(*from.store, add_image(*from.store, {"one"}));
  from.store->lock()->blobs.erase(io::digest_of("one").str());
  const std::string expected = "copying blob " + io::digest_of("one").str() + ": reading from the source";
  try {
    run(from, to);
    FAIL("copied");
  } catch (const Error& error) {
    CHECK(std::string(error.what()).starts_with(expected));
    CHECK(std::string(error.what()).find("destination") == std::string::npos);
  }
}

TEST_CASE("a manifest becomes the type the destination takes") {
  transport::DestinationTraits docker;
  docker.manifest_types = {std::string(types::docker_manifest)};
  MemoryReference from("a"), to("b", docker);
  set_top(*from.store, add_image(*from.store, {"one"}));
  run(from, to);
  CHECK(top_manifest(to).media_type() == types::docker_manifest);
  CHECK(top_manifest(to).config().digest == top_manifest(from).config().digest);
}

TEST_CASE("with digests to be preserved a conversion is refused") {
  MemoryReference from("a"), to("b");
  set_top(*from.store, add_image(*from.store, {"one"}));
  copy::CopyOptions options;
  options.preserve_digests = true;
  options.manifest_type = types::docker_manifest;
  CHECK_THROWS_AS(run(from, to, options), Error);
}

TEST_CASE("with digests to be preserved a compressing destination leaves layers alone") {
  MemoryReference from("a"), to("b", compressing());
  set_top(*from.store, add_image(*from.store, {"one"}));
  copy::CopyOptions options;
  options.preserve_digests = true;
  CHECK(run(from, to, options).manifest.digest == top_digest(from));
}

TEST_CASE("a destination that names a digest takes no other manifest") {
  transport::DestinationTraits traits;
  traits.required_digest = io::digest_of("another manifest");
  MemoryReference from("a"), to("b", traits);
  set_top(*from.store, add_image(*from.store, {"one"}));
  CHECK_THROWS_WITH_AS(run(from, to),
                       "Digest of source image's manifest would not match destination reference", Error);
}

TEST_CASE("what is there already is skipped when asked for") {
  MemoryReference from("a"), to("b");
  set_top(*from.store, add_image(*from.store, {"one"}));
  copy::CopyOptions options;
  options.skip_existing = true;
  CHECK_FALSE(run(from, to, options).skipped);
  CHECK(run(from, to, options).skipped);
  CHECK(to.store->lock()->commits == 1);
}

TEST_CASE("an artifact is copied as it is") {
  MemoryReference from("a"), to("b", compressing());
  auto& store = *from.store;
  const auto config = add_blob(store, types::oci_empty, "{}");
  const auto layer = add_blob(store, "application/vnd.cncf.helm.chart.content.v1.tar+gzip", "chart");
  set_top(store, raw(spec::Manifest::make(types::oci_manifest, config, {layer})));
  CHECK(run(from, to).manifest.digest == top_digest(from));
}

TEST_CASE("a policy that rejects stops the copy before anything is written") {
  MemoryReference from("a"), to("b");
  set_top(*from.store, add_image(*from.store, {"one"}));
  const trust::PolicyContext reject({{config::Reject{}}, {}});
  CHECK_THROWS_AS(copy::copy_image(background(), reject, from, to, {}), Error);
  CHECK(to.store->lock()->blobs.empty());
}

TEST_CASE("the result does not depend on how many blobs are copied at once") {
  std::vector<std::string> layers;
  for (int i = 0; i < 20; ++i) layers.push_back("layer " + std::to_string(i));
  std::vector<spec::Digest> digests;
  for (unsigned jobs : {1u, 8u}) {
    MemoryReference from("a"), to("b", compressing());
    set_top(*from.store, add_image(*from.store, layers));
    copy::CopyOptions options;
    options.parallel_copies = jobs;
    digests.push_back(run(from, to, options).manifest.digest);
  }
  CHECK(digests[0] == digests[1]);
}

TEST_CASE("a stop ends the copy without a commit") {
  MemoryReference from("a"), to("b");
  set_top(*from.store, add_image(*from.store, {"one"}));
  std::stop_source source;
  source.request_stop();
  CHECK_THROWS_AS(
      copy::copy_image(background().with_stop(source.get_token()), accept_anything(), from, to, {}),
      Cancelled);
  CHECK(to.store->lock()->commits == 0);
}

TEST_CASE("a Docker config that OCI can express keeps its bytes") {
  MemoryReference from("a"), to("b");
  auto& store = *from.store;
  const auto config = add_blob(
      store, types::docker_config,
      R"({"os":"linux","architecture":"amd64","config":{},"rootfs":{"type":"layers","diff_ids":[]}})");
  set_top(store, raw(spec::Manifest::make(types::docker_manifest, config, {})));
  copy::CopyOptions options;
  options.manifest_type = types::oci_manifest;
  run(from, to, options);
  CHECK(top_manifest(to).config().digest == config.digest);
}

// Sources that keep layers uncompressed, and destinations that keep them unpacked.
#include <doctest/doctest.h>

#include "config/blob_info_cache.hpp"
#include "fixture.hpp"
#include "support/errors.hpp"
#include "support/image_builder.hpp"

using namespace lade;
using namespace lade::test;

namespace {

// Holds gzip layers as their tars only, like containers-storage.
class UnpackedSource final : public transport::ImageSource {
 public:
  explicit UnpackedSource(const TestImage& image) : image_(image) {}

  spec::RawManifest manifest(const Context&, const std::optional<spec::Digest>&) override {
    return image_.manifest;
  }

  transport::Blob blob(const Context&, const spec::Descriptor& blob) override {
    if (blob.digest == image_.config.descriptor.digest)
      return {io::make_text_reader(image_.config.bytes), {}};
    for (std::size_t i = 0; i < image_.layers.size(); ++i)
      if (image_.diff_ids[i].digest == blob.digest) return {io::make_text_reader(tar(i)), {}};
    throw Error(Kind::not_found, "no such blob");
  }

  std::optional<std::vector<spec::Descriptor>> stored_layers(const Context&,
                                                             const spec::Manifest& manifest) override {
    auto layers = manifest.layers();
    for (std::size_t i = 0; i < layers.size(); ++i) {
      layers[i].media_type = types::oci_layer_tar;
      layers[i].digest = image_.diff_ids[i].digest;
      layers[i].size = tar(i).size();
    }
    return layers;
  }

 private:
  std::string tar(std::size_t i) const {
    const auto plain = io::decompress(io::make_text_reader(image_.layers[i].bytes), io::Compression::gzip);
    return io::read_all(*plain, 1 << 30, "layer");
  }

  const TestImage& image_;
};

class UnpackedReference final : public transport::ImageReference {
 public:
  explicit UnpackedReference(const TestImage& image) : image_(image) {}
  std::string_view transport() const override { return "unpacked"; }
  std::string rest() const override { return "image"; }
  std::unique_ptr<transport::ImageSource> open_source(const Context&,
                                                      const transport::Options&) const override {
    return std::make_unique<UnpackedSource>(image_);
  }

 private:
  const TestImage& image_;
};

copy::CopyResult copy_unpacked(const TestImage& image, const MemoryReference& to,
                               const copy::CopyOptions& options = {}) {
  return copy::copy_image(background(), accept_anything(), UnpackedReference(image), to, options);
}

std::vector<spec::Descriptor> layers_of(const spec::RawManifest& manifest) {
  return spec::Manifest::parse(manifest.bytes, manifest.media_type).layers();
}

}  // namespace

TEST_CASE("layers that a source has uncompressed arrive so where nobody wants them compressed") {
  const auto image = make_image();
  const MemoryReference to("to");
  const auto layers = layers_of(copy_unpacked(image, to).manifest);
  REQUIRE(layers.size() == 2);
  for (std::size_t i = 0; i < layers.size(); ++i) {
    CHECK(layers[i].digest == image.diff_ids[i].digest);
    CHECK(layers[i].media_type == types::oci_layer_tar);
  }
}

TEST_CASE("layers that a source has uncompressed are compressed where that is wanted") {
  const auto image = make_image();
  const MemoryReference to("to", compressing());
  for (const auto& layer : layers_of(copy_unpacked(image, to).manifest)) {
    CHECK(layer.media_type == types::oci_layer_gzip);
    CHECK(to.store->lock()->blobs.contains(layer.digest.str()));
  }
}

TEST_CASE("the original layers are kept where the destination has them, and so is the manifest") {
  const auto image = make_image();
  const MemoryReference to("to", compressing());
  for (const auto& layer : image.layers) add_blob(*to.store, layer.descriptor.media_type, layer.bytes);
  CHECK(copy_unpacked(image, to).manifest.bytes == image.manifest.bytes);
  CHECK(to.store->lock()->blobs_written == std::vector{image.config.descriptor.digest});
}

TEST_CASE("when nothing may change, layers that would have to are an error, those that are there are not") {
  const auto image = make_image();
  const MemoryReference to("to");
  copy::CopyOptions options;
  options.preserve_digests = true;
  CHECK(message_of([&] {
          copy_unpacked(image, to, options);
        }).find("would require changing layer representation") != std::string::npos);
  for (const auto& layer : image.layers) add_blob(*to.store, layer.descriptor.media_type, layer.bytes);
  CHECK(copy_unpacked(image, to, options).manifest.digest == image.manifest.digest);
}

TEST_CASE("a list is handed to destinations that keep it, and its digest will do where one is required") {
  for (const bool keeps : {true, false}) {
    const MemoryReference from("from");
    const auto list = add_list(*from.store, {"amd64", "arm64"});
    set_top(*from.store, list);
    transport::DestinationTraits traits;
    traits.keeps_list = keeps;
    traits.required_digest = list.digest;
    const MemoryReference to("to", traits);
    copy::CopyOptions options;
    options.platform = {"linux", "amd64", ""};
    if (keeps)
      CHECK_NOTHROW(run(from, to, options));
    else
      CHECK(kind_of([&] { run(from, to, options); }) == Kind::invalid_input);
  }
}

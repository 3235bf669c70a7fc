#include "copy/layer_format.hpp"

#include <doctest/doctest.h>

#include "spec/media_type.hpp"

using namespace lade;
using copy::LayerWish;
using copy::target_compression;
using io::Compression;
using Layers = transport::DestinationTraits::Layers;
namespace types = spec::media_type;

TEST_CASE("an uncompressed layer becomes gzip where the destination compresses, or the format asked for") {
  CHECK(target_compression(types::oci_layer_tar, Compression::none, {Layers::compress, {}, false}) ==
        Compression::gzip);
  CHECK(target_compression(types::oci_layer_tar, Compression::none,
                           {Layers::compress, Compression::zstd, false}) == Compression::zstd);
}

TEST_CASE("a compressed layer is compressed anew only when another format is asked for") {
  CHECK(target_compression(types::oci_layer_zstd, Compression::zstd, {Layers::compress, {}, false}) ==
        Compression::zstd);
  CHECK(target_compression(types::oci_layer_gzip, Compression::gzip,
                           {Layers::compress, Compression::zstd, false}) == Compression::zstd);
}

TEST_CASE("a destination that preserves ignores the format, one that decompresses gets plain bytes") {
  CHECK(target_compression(types::oci_layer_tar, Compression::none,
                           {Layers::preserve, Compression::zstd, false}) == Compression::none);
  CHECK(target_compression(types::docker_layer_gzip, Compression::gzip, {Layers::decompress, {}, false}) ==
        Compression::none);
}

TEST_CASE("what is no layer, is encrypted, or is foreign keeps its bytes") {
  const LayerWish wish{Layers::compress, Compression::zstd, true};
  for (std::string_view type : {"application/vnd.wasm.content.layer.v1+wasm", "application/octet-stream",
                                "application/vnd.oci.image.layer.v1.tar+gzip+encrypted"}) {
    CAPTURE(type);
    CHECK(target_compression(type, Compression::gzip, wish) == Compression::gzip);
  }
  CHECK(target_compression(types::docker_foreign_layer_gzip, Compression::gzip, wish) == Compression::gzip);
}

TEST_CASE("media types change within their family") {
  CHECK(copy::with_compression(types::oci_layer_tar, Compression::zstd) == types::oci_layer_zstd);
  CHECK(copy::with_compression(types::docker_layer_gzip, Compression::none) == types::docker_layer_tar);
  CHECK_THROWS_AS(copy::with_compression(types::docker_foreign_layer_tar, Compression::zstd), Error);
  CHECK(copy::claimed_compression(types::oci_layer_zstd) == Compression::zstd);
  CHECK_FALSE(copy::claimed_compression("text/plain"));
}

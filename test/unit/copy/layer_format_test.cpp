#include "copy/layer_format.hpp"

#include <doctest/doctest.h>

#include "copy/copy.hpp"
#include "io/digester.hpp"
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

TEST_CASE("a layer is made zstd:chunked unless it is, must stay as it is, or nobody asked") {
  LayerWish wish{Layers::compress, Compression::zstd, false, true};
  spec::Descriptor blob{std::string(types::oci_layer_zstd), io::digest_of(""), 1, {}, {}, {}, "", ""};
  const auto becomes = [&](Compression present) {
    return copy::becomes_chunked(blob, present, target_compression(blob.media_type, present, wish), wish);
  };
  CHECK(becomes(Compression::zstd));
  CHECK(becomes(Compression::gzip));
  CHECK(becomes(Compression::none));
  blob.annotations["io.github.containers.zstd-chunked.manifest-checksum"] = "sha256:...";
  CHECK_FALSE(becomes(Compression::zstd));
  CHECK(becomes(Compression::gzip));  // which it does not say, but is
  wish.zstd_chunked = false;
  CHECK_FALSE(becomes(Compression::none));
  wish = {Layers::preserve, Compression::zstd, false, true};
  CHECK_FALSE(becomes(Compression::zstd));
  wish = {Layers::compress, Compression::zstd, false, true};
  blob.media_type = "application/vnd.oci.image.layer.v1.tar+zstd+encrypted";
  blob.annotations.clear();
  CHECK_FALSE(becomes(Compression::zstd));
}

TEST_CASE("annotations about a compression go with it, others stay") {
  const spec::Annotations own{{"a", "b"}, {"io.github.containers.zstd-chunked.manifest-position", "1:2:3:1"}};
  CHECK(copy::changed_annotations(own, {}) == spec::Annotations{{"a", "b"}});
  const spec::Annotations chunked{{"io.github.containers.zstd-chunked.manifest-position", "4:5:6:1"}};
  CHECK(copy::changed_annotations(own, chunked).size() == 2);
}

TEST_CASE("compressions have names, one of which says more") {
  copy::CopyOptions options;
  CHECK(copy::set_compression(options, "zstd:chunked"));
  CHECK(options.compression == Compression::zstd);
  CHECK(options.zstd_chunked);
  CHECK(copy::set_compression(options, "zstd"));
  CHECK_FALSE(options.zstd_chunked);
  CHECK_FALSE(copy::set_compression(options, "zstd:seekable"));
}

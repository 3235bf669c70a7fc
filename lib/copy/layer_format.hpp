// What happens to the compression of a layer on its way, and what its media type is afterwards.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "io/codec/codec.hpp"
#include "transport/transport.hpp"

namespace lade::copy {

// How the layers of one image are to arrive.
struct LayerWish {
  transport::DestinationTraits::Layers layers = transport::DestinationTraits::Layers::preserve;
  std::optional<io::Compression> format;  // asked for by name
  bool force_format = false;
  bool zstd_chunked = false;  // format is zstd
};

// The compression a blob is to have; equal to `present`: it is left alone.
// Blobs that are no layers, encrypted layers and foreign layers are always left alone.
io::Compression target_compression(std::string_view media_type, io::Compression present,
                                   const LayerWish& wish);

// Whether a blob that has, or gets, the compression `target` has to be made zstd:chunked.
bool becomes_chunked(const spec::Descriptor& blob, io::Compression present, io::Compression target,
                     const LayerWish& wish);

// A layer's annotations after its compression was changed: `own` without what was about the old one, and
// `compression`.
spec::Annotations changed_annotations(const spec::Annotations& own, const spec::Annotations& compression);

// The compression a layer's media type claims; nullopt if it is no known layer type.
std::optional<io::Compression> claimed_compression(std::string_view media_type);

// The type of the same family (Docker, OCI, foreign, nondistributable) with another compression.
// Kind::unsupported if the family has none.
std::string with_compression(std::string_view media_type, io::Compression compression);

}  // namespace lade::copy

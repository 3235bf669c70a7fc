#include "copy/layer_format.hpp"

#include <array>

#include "copy/copy.hpp"
#include "layer/chunked_toc.hpp"
#include "spec/media_type.hpp"

namespace lade::copy {

namespace {

namespace types = spec::media_type;
using io::Compression;
using Layers = transport::DestinationTraits::Layers;

struct Family {
  std::string_view plain, gzip, zstd;  // zstd "" where the family has none
};

constexpr std::array<Family, 4> families{{
    {types::oci_layer_tar, types::oci_layer_gzip, types::oci_layer_zstd},
    {types::docker_layer_tar, types::docker_layer_gzip, types::docker_layer_zstd},
    {types::oci_nondistributable_tar, types::oci_nondistributable_gzip, types::oci_nondistributable_zstd},
    {types::docker_foreign_layer_tar, types::docker_foreign_layer_gzip, ""},
}};

std::string_view member(const Family& family, Compression compression) {
  switch (compression) {
    case Compression::none: return family.plain;
    case Compression::gzip: return family.gzip;
    case Compression::zstd: return family.zstd;
    case Compression::xz:
    case Compression::bzip2: return "";
  }
  return "";
}

}  // namespace

bool set_compression(CopyOptions& options, std::string_view name) {
  options.zstd_chunked = name == "zstd:chunked";
  options.compression = options.zstd_chunked ? Compression::zstd : io::compression_by_name(name);
  return options.compression.has_value();
}

Compression target_compression(std::string_view media_type, Compression present, const LayerWish& wish) {
  if (!spec::is_layer(media_type) || spec::is_encrypted_layer(media_type) ||
      spec::is_foreign_layer(media_type)) {
    return present;
  }
  switch (wish.layers) {
    case Layers::preserve: return present;
    case Layers::decompress: return Compression::none;
    case Layers::compress:
      if (wish.format) return *wish.format;
      return present == Compression::none ? Compression::gzip : present;
  }
  return present;
}

bool becomes_chunked(const spec::Descriptor& blob, Compression present, Compression target,
                     const LayerWish& wish) {
  if (!wish.zstd_chunked || target != Compression::zstd) return false;
  // What must not change at all, and what nobody asked to be zstd.
  if (target_compression(blob.media_type, Compression::none, wish) != Compression::zstd) return false;
  return present != Compression::zstd ||
         !blob.annotations.contains(std::string(layer::chunked_annotation::toc_digest));
}

spec::Annotations changed_annotations(const spec::Annotations& own, const spec::Annotations& compression) {
  spec::Annotations result = compression;
  for (const auto& annotation : own)
    if (!annotation.first.starts_with(layer::chunked_annotation::prefix)) result.insert(annotation);
  return result;
}

std::optional<Compression> claimed_compression(std::string_view media_type) {
  for (const Family& family : families) {
    for (auto compression : {Compression::none, Compression::gzip, Compression::zstd}) {
      if (member(family, compression) == media_type) return compression;
    }
  }
  return std::nullopt;
}

std::string with_compression(std::string_view media_type, Compression compression) {
  for (const Family& family : families) {
    if (media_type != family.plain && media_type != family.gzip && media_type != family.zstd) continue;
    const std::string_view result = member(family, compression);
    if (!result.empty()) return std::string(result);
  }
  throw Error(Kind::unsupported, "no media type for " + std::string(io::name_of(compression)) +
                                     " compression of a layer of type \"" + std::string(media_type) + "\"");
}

}  // namespace lade::copy

// Manifests, lists, configs and schema 1 from strangers: refused with an Error, or values that keep their
// promises.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "image/convert.hpp"
#include "image/schema1.hpp"
#include "spec/image_config.hpp"
#include "spec/json.hpp"
#include "spec/manifest.hpp"
#include "spec/media_type.hpp"

namespace {

using namespace lade;
namespace mt = spec::media_type;

void require(bool condition) {
  if (!condition) std::abort();
}

template <class Fn>
void refusable(Fn&& fn) {
  try {
    fn();
  } catch (const Error& error) {
    require(error.kind() == Kind::invalid_input || error.kind() == Kind::unsupported);
  }
}

void check_json(std::string_view text) {
  const auto document = spec::try_parse_json(text);
  if (!document) return;
  const std::string written = spec::dump_json(*document);
  require(spec::dump_json(spec::parse_json(written, "again")) == written);
  require(spec::dump_json(spec::parse_json(spec::dump_json(*document, 4), "again")) == written);
}

void check_manifest(std::string_view text, std::string_view type, std::string_view other) {
  const auto manifest = spec::Manifest::parse(text, type);
  require(spec::Manifest::parse(manifest.serialize(), type).serialize() == manifest.serialize());
  require(manifest.with_layers(manifest.layers()).layers() == manifest.layers());
  require(manifest.with_config(manifest.config()).config() == manifest.config());
  const auto converted = manifest.as_media_type(other);
  require(converted.layers().size() == manifest.layers().size());
  require(converted.config().digest == manifest.config().digest);
}

void check_index(std::string_view text, std::string_view type, std::string_view other) {
  const auto index = spec::Index::parse(text, type);
  require(spec::Index::parse(index.serialize(), type).instances() == index.instances());
  require(index.with_instances(index.instances()).instances() == index.instances());
  require(index.with_subset(std::vector<bool>(index.instances().size())).instances().empty());
  require(index.as_media_type(other).instances().size() == index.instances().size());
  index.choose({"linux", "amd64", ""});
}

void check_config(std::string_view text) {
  const auto config = spec::ImageConfig::parse(text);
  const std::string written = spec::dump_json(config.oci_document());
  require(spec::dump_json(spec::ImageConfig::parse(written).oci_document()) == written);
}

void check_schema1(std::string_view text) {
  const auto manifest = image::Schema1::parse(text);
  require(!manifest.layers.empty());
  require(image::Schema1::parse(manifest.serialize()).serialize() == manifest.serialize());
  const std::vector<spec::DiffId> diff_ids(manifest.layers.size(), {image::empty_layer_digest()});
  std::vector<spec::Descriptor> blobs;
  for (const auto& layer : manifest.layers)
    blobs.push_back({std::string(mt::docker_layer_gzip), layer.blob, 1, {}, {}, {}, "", ""});
  image::convert(manifest, blobs, diff_ids, mt::oci_manifest);
}

void check_schema1_from(std::string_view config) {
  static const spec::Descriptor blob{
      std::string(mt::docker_layer_gzip), image::empty_layer_digest(), 32, {}, {}, {}, "", ""};
  static const auto manifest = spec::Manifest::make(mt::docker_manifest, blob, {blob, blob, blob});
  const auto conversion = image::convert(manifest, config, mt::docker_manifest_v1_signed);
  const auto written = image::Schema1::parse(conversion.manifest.bytes);
  require(written.serialize() == spec::manifest_payload(conversion.manifest.bytes));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  check_json(text);
  spec::guess_manifest_type(text);
  refusable([&] { spec::manifest_payload(text); });
  refusable([&] { check_manifest(text, mt::oci_manifest, mt::docker_manifest); });
  refusable([&] { check_manifest(text, mt::docker_manifest, mt::oci_manifest); });
  refusable([&] { check_index(text, mt::oci_index, mt::docker_list); });
  refusable([&] { check_index(text, mt::docker_list, mt::oci_index); });
  refusable([&] { check_config(text); });
  refusable([&] { check_schema1(text); });
  refusable([&] { check_schema1_from(text); });
  return 0;
}

#include "copy/image_copier.hpp"

#include <algorithm>
#include <iterator>

#include "copy/blob_copier.hpp"
#include "copy/manifest_types.hpp"
#include "copy/manifest_writer.hpp"
#include "copy/signatures.hpp"
#include "spec/media_type.hpp"

namespace lade::copy {

namespace {

spec::RawManifest copy_unsigned(Session& session, const Context& context, const spec::RawManifest& manifest,
                                bool as_instance) {
  ManifestWriter writer(session, context, as_instance);
  const auto parse = [&](const auto& parser) {
    return in_context("parsing the manifest from the source", [&] { return parser(manifest.bytes); });
  };
  if (spec::is_schema1(manifest.media_type)) {
    if (session.options.encryption)
      throw Error(Kind::unsupported, "encryption of images of Docker's schema 1 is not supported");
    const auto schema1 = parse([](const std::string& bytes) { return image::Schema1::parse(bytes); });
    return writer.write(schema1, manifest, copy_layers(session, context, layers_of(schema1)));
  }
  const auto original =
      parse([&](const std::string& bytes) { return spec::Manifest::parse(bytes, manifest.media_type); });
  const auto crypto = plan_encryption(session, context, original);
  session.arrives_encrypted = arrives_encrypted(original.layers(), crypto);
  if (session.arrives_encrypted) manifest_types_for(session, original.media_type());  // or it is in vain
  const auto stored = session.source.stored_layers(context, original);
  const auto layers = copy_layers(session, context, original.layers(),
                                  stored.value_or(std::vector<spec::Descriptor>()), crypto);
  if (layers == original.layers()) return writer.write(original, manifest);
  return writer.write(original.with_layers(layers), std::nullopt);
}

}  // namespace

spec::RawManifest copy_single(Session& session, const Context& context, const spec::RawManifest& manifest,
                              bool as_instance) {
  auto signatures = read_signatures(session, context, manifest);
  Session own = session;
  if (!signatures.empty() && own.may_change()) own.unchangeable_reason = "Would invalidate signatures";
  auto written = copy_unsigned(own, context, manifest, as_instance);
  session.shared.written.lock()->push_back({manifest.digest, written.digest});
  std::ranges::move(create_signatures(session, context, written), std::back_inserter(signatures));
  if (!signatures.empty()) {
    context.progress.step("Storing signatures");
    write_signatures(own, context, signatures, name_of(written, as_instance));
  }
  return written;
}

}  // namespace lade::copy

// Writes the manifest of one image as the first type that both the options and the destination take.
#pragma once

#include "copy/session.hpp"
#include "image/convert.hpp"

namespace lade::copy {

class ManifestWriter {
 public:
  ManifestWriter(Session& session, const Context& context, bool as_instance)
      : session_(session), context_(context), as_instance_(as_instance) {}

  // The config, as it is or converted, then the manifest. `raw`: the bytes of `manifest` as the source has
  // them, when nothing in it changed; they are kept unless it must become another type.
  spec::RawManifest write(const spec::Manifest& manifest, const std::optional<spec::RawManifest>& raw);

  // Schema 1: `layers` are its blobs at the destination, root first.
  spec::RawManifest write(const image::Schema1& manifest, const spec::RawManifest& raw,
                          const std::vector<spec::Descriptor>& layers);

 private:
  spec::RawManifest write_as(const std::string& type, const spec::Manifest& manifest,
                             const std::optional<spec::RawManifest>& raw);
  spec::RawManifest write_as(const std::string& type, const image::Schema1& manifest,
                             const spec::RawManifest& raw, const std::vector<spec::Descriptor>& layers);
  spec::RawManifest put(const image::Conversion& conversion);
  spec::RawManifest put(const spec::RawManifest& manifest);
  void put_empty_layer();
  std::string read_config(const spec::Descriptor& config);

  Session& session_;
  const Context& context_;
  bool as_instance_;
};

// The blobs of a schema 1 manifest as the source has them, root first; sizes are unknown.
std::vector<spec::Descriptor> layers_of(const image::Schema1& manifest);

}  // namespace lade::copy

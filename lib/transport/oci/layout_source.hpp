// Reads an image out of an OCI layout, wherever its files are: oci: and oci-archive: differ only in that.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "spec/digest.hpp"
#include "transport/oci/layout_index.hpp"
#include "transport/transport.hpp"

namespace lade::transport::oci {

// The files of a layout. Thread-safe.
class LayoutFiles {
 public:
  virtual ~LayoutFiles() = default;
  // index.json.
  virtual std::string index() const = 0;
  // blobs/<algorithm>/<hex>; nullopt if it is not there. The reader shares what it needs.
  virtual std::optional<Blob> find_blob(const spec::Digest& digest) const = 0;
};

// A manifest of the layout by its digest, which is checked; media_type "" is guessed. nullopt if there is
// none.
std::optional<spec::RawManifest> find_manifest(const LayoutFiles& files, const spec::Digest& digest,
                                               const std::string& media_type);

// Chooses the image at once.
std::unique_ptr<ImageSource> make_layout_source(std::unique_ptr<const LayoutFiles> files,
                                                const LayoutName& name, const Options& options);

}  // namespace lade::transport::oci

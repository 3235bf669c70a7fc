// What inspect and history show of a stored image, as data.
#pragma once

#include <string>
#include <vector>

#include "engine/local_images.hpp"
#include "spec/json.hpp"
#include "spec/manifest.hpp"

namespace lade::engine {

// One element of podman's `image inspect`, members in its order. Kind::invalid_input for an image without a
// configuration.
spec::Json inspect_image(const LocalImages& images, const store::ImageRecord& image);

// Those of an OCI manifest; none of another's.
spec::Json image_annotations(const spec::RawManifest& raw);

struct HistoryEntry {
  std::string id;  // of the image that ends here; "" if that is not known
  std::string created, created_by, comment;
  std::uint64_t size = 0;
  std::vector<std::string> tags;
};
// Newest first.
std::vector<HistoryEntry> image_history(const LocalImages& images, const store::ImageRecord& image);

}  // namespace lade::engine

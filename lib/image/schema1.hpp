// Docker schema 1 manifests (manifest-v2-1): read, written and signed, for registries that know nothing
// newer.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "spec/digest.hpp"
#include "spec/image_config.hpp"
#include "spec/reference.hpp"

namespace lade::image {

struct Schema1 {
  struct Layer {
    spec::Digest blob;
    std::string v1_compatibility;  // JSON text; of the top layer it is the configuration of the image
    std::string id, parent;
    std::string created;  // RFC 3339 as it stands
    std::string author, comment, created_by;
    bool empty = false;  // the blob is empty_layer(), or means nothing
  };

  std::string name, tag, architecture;
  std::vector<Layer> layers;  // root first, never empty

  // Signed or not; of a signed one only the payload counts. Layers that occur twice in a row are dropped
  // once, as Docker does. Kind::invalid_input.
  static Schema1 parse(std::string_view bytes);

  // What the top layer says of the image. Without diff_ids, and with a history made from the layers.
  spec::ImageConfig config() const;

  // The configuration for newer formats. One diff id for each layer that is not empty.
  std::string schema2_config(const std::vector<spec::DiffId>& diff_ids) const;

  // Other blobs (of another compression) for the same layers, root first; Kind::invalid_input for another
  // count.
  Schema1 with_blobs(const std::vector<spec::Digest>& blobs) const;
  // Name and tag inside of the manifest, which registries compare with where it is put.
  Schema1 with_reference(const spec::Reference& reference) const;

  // Compact JSON, not signed: what the digest is taken of.
  std::string serialize() const;
};

// Signs with a key that is thrown away: registries want a signature and accept any.
std::string sign_schema1(const std::string& payload);

// The 32 bytes of a gzipped tar without entries that stand for every empty layer in schema 1.
std::string_view empty_layer();
const spec::Digest& empty_layer_digest();

}  // namespace lade::image

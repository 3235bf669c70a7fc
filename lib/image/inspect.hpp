// What `inspect` shows of an image, as data.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/context.hpp"
#include "image/image.hpp"
#include "spec/json.hpp"
#include "spec/platform.hpp"

namespace lade::image {

struct Inspection {
  std::string name;    // docker: repository without tag; "" if there is none
  std::string tag;     // from a schema 1 manifest
  std::string digest;  // of what the reference names: of a list, if it is one
  std::vector<std::string> repo_tags;
  std::optional<std::string> created;
  std::string docker_version;
  std::optional<std::map<std::string, std::string>> labels;
  std::string architecture;
  std::string os;
  std::vector<std::string> layers;
  std::vector<Image::Layer> layers_data;
  std::optional<std::vector<std::string>> env;
  std::string artifact_type;  // "" for images

  // Members in the order of skopeo's output; ArtifactType, which skopeo does not have, only if it is set.
  spec::Json to_json() const;
};

// All but name and repo_tags. `top_digest` is the digest of what the reference names. Of an artifact only the
// layers and the artifact type.
Inspection inspect(const Context& context, Image& image, const spec::Digest& top_digest);

// The bytes of config and layers as they are transferred, each blob once; nullopt in schema 1, which tells no
// sizes. Kind::invalid_input if the sum is too large for any image.
std::optional<std::uint64_t> total_size(const Image& image);

struct PlatformRow {
  spec::Platform platform;  // empty fields where the list says nothing
  spec::Digest digest;
  std::string media_type;
  std::optional<std::uint64_t>
      size;  // total_size; nullopt if unknown, of a nested list or if the manifest is not there
  std::string artifact_type;
};

// One row for each instance of a list, in its order; a single image is one row. Reads the manifest of each.
std::vector<PlatformRow> platform_rows(const Context& context, transport::ImageSource& source,
                                       const spec::RawManifest& top);

}  // namespace lade::image

// An image as its manifest and config describe it: an immutable view over a source.
#pragma once

#include <mutex>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/context.hpp"
#include "image/schema1.hpp"
#include "spec/image_config.hpp"
#include "spec/manifest.hpp"
#include "spec/platform.hpp"
#include "transport/transport.hpp"

namespace lade::image {

// Thread-safe. The config is read when it is first asked for, and kept.
class Image {
 public:
  // `source` MUST outlive the image. `manifest` is of a single image (schema 1, Docker schema 2, OCI), its
  // digest already checked. Kind::invalid_input for a malformed one, Kind::unsupported for other types.
  Image(transport::ImageSource& source, spec::RawManifest manifest);

  const spec::RawManifest& raw() const { return raw_; }
  // nullptr if it is (not) of schema 1.
  const spec::Manifest* manifest() const { return std::get_if<spec::Manifest>(&parsed_); }
  const Schema1* schema1() const { return std::get_if<Schema1>(&parsed_); }
  // Not an image but some other content: its config is no image configuration.
  bool is_artifact() const;
  // Of an artifact: its artifactType, or else the type of its config.
  std::string artifact_type() const;

  struct Layer {
    std::string media_type;  // "" in schema 1
    spec::Digest digest;
    std::optional<std::uint64_t> size;  // nullopt in schema 1
    spec::Annotations annotations;
  };
  // Root first.
  std::vector<Layer> layers() const;

  // The config blob, checked against its digest; "" for schema 1, which has none.
  const std::string& config_bytes(const Context& context);
  // Kind::unsupported `unsupported image-specific operation on artifact with type "T"` for artifacts.
  spec::ImageConfig config(const Context& context);

 private:
  std::string read_config(const Context& context, const spec::Descriptor& config) const;

  transport::ImageSource& source_;
  spec::RawManifest raw_;
  std::variant<spec::Manifest, Schema1> parsed_;
  std::mutex config_mutex_;
  std::optional<std::string> config_;
};

// The manifest of one image: `top` itself, or of the instance of a list (also of a list within the list) that
// fits the platform. Errors: `choosing image instance: no image found in ...`.
spec::RawManifest choose_instance(const Context& context, transport::ImageSource& source,
                                  spec::RawManifest top, const spec::PlatformChoice& choice);

}  // namespace lade::image

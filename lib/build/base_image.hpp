// The image of the store that a working container is made of.
#pragma once

#include <optional>
#include <string>

#include "base/context.hpp"
#include "build/builder.hpp"
#include "spec/platform.hpp"
#include "store/store.hpp"

namespace lade::build {

struct BaseImage {
  std::string id;
  std::string name;       // one of its names, as far as possible that which was asked for; "" for none
  std::string digest;     // of its manifest, or of the list it was chosen from
  std::string top_layer;  // "" for none
  std::string manifest, media_type, config;
};

// Of a list the instance for `platform`. Kind::unsupported for images without a configuration.
BaseImage read_base_image(const Context& context, store::Store& store, const std::string& image_id,
                          const spec::PlatformChoice& platform = {});

// The settings of the image become those of the container; nullopt for one from scratch. What neither says is
// filled in from `platform` (empty members: this machine's).
void take_settings(const Context& context, Builder& builder, const std::optional<BaseImage>& image,
                   const spec::PlatformChoice& platform);

// Docker's form of settings, with the members that Docker always has, in Go's order. For commits.
spec::Json docker_image_document(const spec::Json& docker);
// OCI's form.
spec::Json oci_image_document(const spec::Json& oci);

}  // namespace lade::build

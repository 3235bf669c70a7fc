// What buildah's inspect shows of an image: the builder that would start from it.
#pragma once

#include "engine/local_images.hpp"
#include "spec/json.hpp"

namespace lade::engine {

// Members in buildah's order. Kind::invalid_input for an image without a configuration.
spec::Json builder_of_image(const LocalImages& images, const store::ImageRecord& image);

// The image's configuration as Docker's struct shows it, with container_config equal to config.
spec::Json docker_image_document(const spec::ImageConfig& config);

}  // namespace lade::engine

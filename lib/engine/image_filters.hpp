// --filter of images: "key=value", "key!=value".
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "engine/local_images.hpp"

namespace lade::engine {

using ImageFilter = std::function<bool(const store::ImageRecord& image)>;

// An image passes if it passes all filters, of those "reference=..." at least one. Keys: after since before
// containers dangling digest id intermediate label manifest readonly reference until. `images` MUST outlive
// the filter. Kind::invalid_input `invalid image filter "x": must be in the format "filter=value or
// filter!=value"` and so on.
ImageFilter compile_image_filters(const LocalImages& images, const std::vector<std::string>& filters);

// Those of its names that a list with these filters shows: a single filter by a full name is a question for
// this name, all others are for images with all their names.
std::vector<std::string> names_asked_for(const store::ImageRecord& image,
                                         const std::vector<std::string>& filters);

}  // namespace lade::engine

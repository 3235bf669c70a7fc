// Image names as arguments.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "transport/transport.hpp"

namespace lade::skopeo {

// `role` is "source" or "destination": "Invalid source name X: ...".
std::unique_ptr<transport::ImageReference> parse_image(const std::string& name, std::string_view role);

}  // namespace lade::skopeo

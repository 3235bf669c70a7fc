// Image names as arguments.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "common/command.hpp"
#include "transport/transport.hpp"

namespace lade::skopeo {

// `role` is "source" or "destination": "Invalid source name X: ...".
std::unique_ptr<transport::ImageReference> parse_image(const std::string& name, std::string_view role);

// An argument names an image of the local store: common::NamespaceRule.
bool names_local_store(const common::Request& request);

}  // namespace lade::skopeo

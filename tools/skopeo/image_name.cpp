#include "skopeo/image_name.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.hpp"
#include "transport/transports.hpp"

namespace lade::skopeo {

std::unique_ptr<transport::ImageReference> parse_image(const std::string& name, std::string_view role) {
  return in_context([&] { return fmt::format("Invalid {} name {}", role, name); },
                    [&] { return transport::parse_image_name(name); });
}

bool names_local_store(const common::Request& request) {
  return std::ranges::any_of(request.arguments,
                             [](const auto& name) { return name.starts_with("containers-storage:"); });
}

}  // namespace lade::skopeo

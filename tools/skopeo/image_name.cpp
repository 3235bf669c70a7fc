#include "skopeo/image_name.hpp"

#include <fmt/format.h>

#include "base/error.hpp"
#include "transport/transports.hpp"

namespace lade::skopeo {

std::unique_ptr<transport::ImageReference> parse_image(const std::string& name, std::string_view role) {
  return in_context([&] { return fmt::format("Invalid {} name {}", role, name); },
                    [&] { return transport::parse_image_name(name); });
}

}  // namespace lade::skopeo

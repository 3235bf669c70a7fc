// The table of transports. Adding one: a folder beside this file and one line in transports.cpp.
#pragma once

#include <memory>
#include <span>
#include <string_view>

#include "transport/transport.hpp"

namespace lade::transport {

std::span<const Transport* const> transports();

// Kind::invalid_input: `Invalid image name "x", expected colon-separated transport:reference`,
// `Invalid image name "x:y", unknown transport "x"`, or what the transport says.
std::unique_ptr<ImageReference> parse_image_name(std::string_view text);

}  // namespace lade::transport
